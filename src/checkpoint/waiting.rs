//! What waits to be sent: the queues one after another, and with what each of them begins.

use rusqlite::{Connection, OptionalExtension};

use super::{
    QueueStart, WaitingCall,
    delivery::{customer, queue, unknown_of_queue, waiting_call},
};

/// The next queue behind `after` that has calls to send. One step in the index, however many calls a queue has.
fn next_queue(c: &Connection, after: i64) -> rusqlite::Result<Option<i64>> {
    c.prepare_cached(
        "SELECT queue FROM calls INDEXED BY calls_waiting WHERE request IS NULL AND queue > ?1 ORDER BY queue LIMIT 1",
    )?
    .query_row([after], |row| row.get(0))
    .optional()
}

/// With what the next queues behind `after` begin, each with its first calls, at most `each`; so many queues that about
/// `calls` calls are there, and at least one if any waits.
pub(super) fn starts(
    c: &Connection,
    after: i64,
    calls: usize,
    each: u32,
) -> rusqlite::Result<Vec<QueueStart>> {
    let mut starts = Vec::new();
    let (mut last, mut gathered) = (after, 0);
    while gathered < calls
        && let Some(queue) = next_queue(c, last)?
    {
        let start = start(c, queue, each)?;
        gathered += start.calls.len();
        starts.push(start);
        last = queue;
    }
    Ok(starts)
}

/// Everything that a worker begins with, its first calls at most `most`: one job instead of one for each.
pub(super) fn start(c: &Connection, id: i64, most: u32) -> rusqlite::Result<QueueStart> {
    let calls = waiting_calls(c, id, most)?;
    let mut customers: Vec<i64> = calls.iter().map(|call| call.customer).collect();
    customers.sort_unstable();
    customers.dedup();
    Ok(QueueStart {
        queue: queue(c, id)?,
        unknown: unknown_of_queue(c, id)?,
        customers: customers.into_iter().map(|id| customer(c, id)).collect::<Result<_, _>>()?,
        calls,
    })
}

/// The calls of `queue` that wait, in order of time, at most `most`. Calls of one second stand in the order of their
/// keys, so that the order does not depend on the input's.
pub(super) fn waiting_calls(c: &Connection, queue: i64, most: u32) -> rusqlite::Result<Vec<WaitingCall>> {
    let most = most as usize;
    // The index has them in order of time; to have the database sort those of one second costs more than to read them.
    let mut statement = c.prepare_cached(
        "SELECT id, key, source_id, started_at, customer, agent, size, text
         FROM calls INDEXED BY calls_waiting LEFT JOIN texts ON texts.call = calls.id
         WHERE queue = ?1 AND request IS NULL ORDER BY started_at",
    )?;
    let mut rows = statement.query([queue])?;
    let mut calls: Vec<WaitingCall> = Vec::new();
    while let Some(row) = rows.next()? {
        let call = waiting_call(row)?;
        if calls.len() >= most && calls.last().is_some_and(|last| last.started_at < call.started_at) {
            break;
        }
        calls.push(call);
        // However many begin in the same second, memory stays flat.
        if calls.len() >= 2 * most.max(1) {
            keep_first(&mut calls, most);
        }
    }
    keep_first(&mut calls, most);
    Ok(calls)
}

fn keep_first(calls: &mut Vec<WaitingCall>, most: usize) {
    calls.sort_by_key(|call| (call.started_at, call.key.to_bytes()));
    calls.truncate(most);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        call::{Call, Destination},
        checkpoint::stage::tests::{call, fresh, load},
    };

    #[test]
    fn calls_of_one_second_stand_in_the_order_of_their_keys_however_many_are_asked_for() {
        let (_folder, mut checkpoint) = fresh();
        let later = |id: &str, seconds| {
            let call = call(id, id);
            Call { started_at: call.started_at.plus_seconds(seconds), ..call }
        };
        let rows: Vec<Call> = (0..40).map(|index| later(&index.to_string(), i64::from(index % 3))).collect();
        load(&mut checkpoint, "a.csv", &rows, None);
        let queue = next_queue(&checkpoint.connection, 0).unwrap().unwrap();
        let ordered: Vec<i64> = checkpoint
            .connection
            .prepare("SELECT id FROM calls ORDER BY started_at, key")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(ordered.len(), 40);
        for most in [1, 2, 5, 13, 14, 15, 39, 40, 41] {
            let calls = waiting_calls(&checkpoint.connection, queue, most).unwrap();
            let found: Vec<i64> = calls.iter().map(|call| call.id).collect();
            assert_eq!(found, ordered[..ordered.len().min(most as usize)], "{most}");
            assert!(calls.iter().all(|call| !call.text.is_empty()));
        }
    }

    #[test]
    fn queues_are_gathered_in_their_order_until_so_many_calls_are_there() {
        let (_folder, mut checkpoint) = fresh();
        let of = |group: u64, id: &str| Call {
            destination: Destination::Grouped {
                inbox: String::new(),
                group: group.to_string(),
                subject: "Calls".into(),
            },
            ..call(id, id)
        };
        let rows: Vec<Call> =
            (1..=4).flat_map(|group| (0..3).map(move |n| of(group, &format!("{group}-{n}")))).collect();
        load(&mut checkpoint, "a.csv", &rows, None);
        let c = &checkpoint.connection;
        let queues: Vec<i64> = starts(c, 0, 100, 9).unwrap().iter().map(|start| start.queue.id).collect();
        assert_eq!(queues.len(), 4);
        let gathered = |after, calls| {
            let starts = starts(c, after, calls, 2).unwrap();
            assert!(starts.iter().all(|start| start.calls.len() == 2 && start.customers.len() == 1));
            starts.iter().map(|start| start.queue.id).collect::<Vec<_>>()
        };
        assert_eq!(gathered(0, 1), queues[..1]);
        assert_eq!(gathered(0, 3), queues[..2]);
        assert_eq!(gathered(queues[1], 100), queues[2..]);
        assert_eq!(gathered(queues[3], 100), Vec::<i64>::new());
        assert_eq!(starts(c, queues[0], 1, 9).unwrap()[0], start(c, queues[1], 9).unwrap());
    }
}
