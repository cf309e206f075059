//! The parts that need no file system or network, and the reader: `cargo bench --bench pure`.

#[path = "export.rs"]
mod export;

use std::{hint::black_box, time::Duration};

use callport::{
    call::{Call, Moment, Row},
    helpscout::{CustomerRef, thread_size},
    mapping::{BoundMapping, Mapping, MappingSettings, Outcome, plain_text},
    plan::{PackLimits, Prediction},
    policy::{Answer, FieldError, Reply, verdict},
    source::{Input, Reader, Record, SourceSettings, expand},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use export::Export;
use tempfile::TempDir;

const ROWS: u64 = 10_000;

/// Some rows of an export, with the file that they come from.
struct Sample {
    _folder: TempDir,
    input: Input,
    bytes: u64,
    rows: Vec<Row>,
}

impl Sample {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the export can be made");
        let path = folder.path().join("calls.csv");
        let written = Export::even(ROWS, ROWS / 100).write(&path).expect("the export can be written");
        assert_eq!(written.calls_of.iter().sum::<u64>(), ROWS);
        let inputs = expand(&[path.display().to_string()]).expect("the export is there");
        let input = inputs.into_iter().next().expect("it is one file");
        let rows = reader(&input).take(1_000).map(row).collect();
        Self { _folder: folder, input, bytes: written.bytes, rows }
    }

    fn mapping(&self, text: Option<&str>) -> BoundMapping {
        let settings = MappingSettings {
            source_name: "bench".to_owned(),
            by_own_names: true,
            group_by: "customer".to_owned(),
            subject: "Phone calls with {{ customer }}".to_owned(),
            text: text.map(str::to_owned),
            ..MappingSettings::default()
        };
        let mapping = Mapping::new(settings).expect("the settings are sound");
        let headings = reader(&self.input).headings().expect("a CSV file has headings");
        mapping.bind(&headings).expect("the headings fit the settings")
    }

    fn calls(&self) -> Vec<Call> {
        let mapping = self.mapping(None);
        let call = |row: &Row| match mapping.interpret(row, now()).outcome {
            Outcome::Call(call) => *call,
            other => panic!("the row is sound, but becomes {other:?}"),
        };
        self.rows.iter().map(call).collect()
    }
}

fn reader(input: &Input) -> Reader {
    Reader::open(input, &SourceSettings::default()).expect("the export can be read")
}

fn row(record: Result<Record, callport::source::SourceError>) -> Row {
    match record {
        Ok(Record::Row(row)) => row,
        other => panic!("the export is sound, but holds {other:?}"),
    }
}

fn now() -> Moment {
    Moment::parse_api("2030-01-01T00:00:00Z").expect("it is a time")
}

fn reading(criterion: &mut Criterion) {
    let sample = Sample::new();
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Bytes(sample.bytes));
    group.bench_function("csv", |bencher| bencher.iter(|| reader(&sample.input).map(row).count()));
    group.finish();
}

fn interpreting(criterion: &mut Criterion) {
    let sample = Sample::new();
    let mut group = criterion.benchmark_group("interpret");
    group.throughput(Throughput::Elements(sample.rows.len() as u64));
    let plain = "{{ notes }} ({{ agent }}, {{ duration }} s)\n{{ reference }}";
    let engine =
        "{% if duration > 60 %}long{% endif %} {{ notes }} {{ started_at | date('Europe/Berlin', '%H:%M') }}";
    for (name, text) in [("default text", None), ("plain template", Some(plain)), ("template", Some(engine))]
    {
        let mapping = sample.mapping(text);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for row in &sample.rows {
                    black_box(mapping.interpret(row, now()));
                }
            });
        });
    }
    group.finish();
}

fn planning(criterion: &mut Criterion) {
    const CALLS: usize = 10_000;
    let mut group = criterion.benchmark_group("plan");
    group.throughput(Throughput::Elements(CALLS as u64));
    for (name, threads, each, pack) in [
        ("queues of 8", None, 8, true),
        ("queues of 250", None, 250, true),
        ("queues of 50 to append", Some(20), 50, true),
        ("queues of 8, not packed", None, 8, false),
    ] {
        let sizes = vec![600; each];
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut prediction = Prediction::default();
                for _ in 0..CALLS / each {
                    prediction.add_queue(threads, black_box(&sizes), PackLimits::new(pack));
                }
                prediction
            });
        });
    }
    group.finish();
}

fn texts(criterion: &mut Criterion) {
    let calls = Sample::new().calls();
    let bytes = calls.iter().map(|call| call.text.len() as u64).sum();
    let mut group = criterion.benchmark_group("text");
    group.throughput(Throughput::Bytes(bytes));
    let stored: Vec<String> = calls.iter().map(|call| call.text.replace('\n', "<br />\n")).collect();
    group.bench_function("plain_text", |bencher| {
        bencher.iter(|| stored.iter().map(|html| plain_text(html).len()).sum::<usize>());
    });
    group.bench_function("thread_size", |bencher| {
        bencher.iter(|| calls.iter().map(size).sum::<usize>());
    });
    group.finish();
}

fn size(call: &Call) -> usize {
    let customer = CustomerRef::Email {
        email: call.customer.email.as_deref().unwrap_or_default(),
        fields: &call.customer.fields,
        phone: call.customer.phone.as_deref(),
    };
    thread_size(&call.text, &customer)
}

fn judging(criterion: &mut Criterion) {
    let landed = Answer { status: 201, documented: true, resource_id: Some(7), ..Answer::default() };
    let error = FieldError { path: "text".into(), message: "may not be empty".into() };
    let refused = Answer {
        status: 400,
        documented: true,
        message: Some("Bad request".into()),
        errors: vec![error],
        ..Answer::default()
    };
    let throttled = Answer { status: 429, retry_after: Some(Duration::from_secs(10)), ..Answer::default() };
    let replies = [
        Reply::Answer(landed),
        Reply::Answer(refused),
        Reply::Answer(throttled),
        Reply::Lost { why: "the connection was reset".into() },
    ];
    let mut group = criterion.benchmark_group("verdict");
    group.throughput(Throughput::Elements(replies.len() as u64));
    group.bench_function("four replies", |bencher| {
        bencher.iter(|| {
            for reply in &replies {
                black_box(verdict(black_box(reply)));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, reading, interpreting, planning, texts, judging);
criterion_main!(benches);
