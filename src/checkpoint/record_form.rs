//! A record of a call as it is kept until the input is read to its end: as JSON, since which of them becomes a call is not
//! known before.

use serde::{Deserialize, Serialize};

use super::found_by;
use crate::call::{
    Call, CallKey, Customer, Destination, FIELD_RULES, Fault, FaultKind, Identity, Moment, Rejection,
};

/// What the columns of a record do not tell of its call.
#[derive(Debug, Serialize, Deserialize)]
struct CallForm {
    id: Option<String>,
    customer: CustomerForm,
    agent: Option<String>,
    existing: Option<u64>,
    inbox: String,
    group: String,
    subject: String,
    text: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct CustomerForm {
    id: Option<u64>,
    email: Option<String>,
    phone: Option<String>,
    fields: Vec<(String, String)>,
    found_by: i64,
}

/// Kind, column, value and reason.
type FaultForm = (String, Option<String>, Option<String>, String);

/// The call, else what is wrong with it.
pub(super) fn write(call: &Result<Call, Rejection>) -> String {
    let text = match call {
        Ok(call) => serde_json::to_string(&form_of(call)),
        Err(rejection) => {
            let form = |fault: &Fault| -> FaultForm {
                let Fault { kind, column, value, reason } = fault.clone();
                (kind.code().to_owned(), column, value, reason)
            };
            serde_json::to_string(&rejection.faults.iter().map(form).collect::<Vec<_>>())
        }
    };
    text.unwrap_or_default()
}

fn form_of(call: &Call) -> CallForm {
    let customer = &call.customer;
    let fields = customer.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let customer = CustomerForm {
        id: customer.id,
        email: customer.email.clone(),
        phone: customer.phone.clone(),
        fields: fields.collect(),
        found_by: found_by::stored(customer.found_by),
    };
    let (existing, inbox, group, subject) = match &call.destination {
        Destination::Existing(id) => (Some(*id), "", "", ""),
        Destination::Grouped { inbox, group, subject } => {
            (None, inbox.as_str(), group.as_str(), subject.as_str())
        }
    };
    CallForm {
        id: call.identity.id.clone(),
        customer,
        agent: call.agent.clone(),
        existing,
        inbox: inbox.to_owned(),
        group: group.to_owned(),
        subject: subject.to_owned(),
        text: call.text.clone(),
    }
}

/// The call that was kept as `text`, with what its columns tell.
pub(super) fn read_call(
    text: &str,
    key: CallKey,
    started_at: Moment,
    updated_at: Option<i64>,
) -> serde_json::Result<Call> {
    let form: CallForm = serde_json::from_str(text)?;
    let known = |name: &str| FIELD_RULES.iter().find(|rule| rule.name == name).map(|rule| rule.name);
    let fields = form.customer.fields.into_iter().filter_map(|(name, value)| Some((known(&name)?, value)));
    let destination = match form.existing {
        Some(id) => Destination::Existing(id),
        None => Destination::Grouped { inbox: form.inbox, group: form.group, subject: form.subject },
    };
    Ok(Call {
        identity: Identity { id: form.id, key },
        started_at,
        updated_at,
        customer: Customer {
            id: form.customer.id,
            email: form.customer.email,
            phone: form.customer.phone,
            fields: fields.collect(),
            found_by: found_by::read(form.customer.found_by),
        },
        agent: form.agent,
        destination,
        text: form.text,
    })
}

/// Whom the record that was kept as `text` names, where it could be a call.
pub(super) fn customer_of(text: &str) -> Option<Customer> {
    let customer = serde_json::from_str::<CallForm>(text).ok()?.customer;
    let found_by = found_by::read(customer.found_by);
    let CustomerForm { id, email, phone, .. } = customer;
    Some(Customer { id, email, phone, fields: Vec::new(), found_by })
}

/// The faults that were kept as `text`.
pub(super) fn read_faults(text: &str) -> Vec<Fault> {
    let forms: Vec<FaultForm> = serde_json::from_str(text).unwrap_or_default();
    let fault = |(kind, column, value, reason): FaultForm| {
        Some(Fault { kind: FaultKind::from_code(&kind)?, column, value, reason })
    };
    forms.into_iter().filter_map(fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::FoundBy;

    #[test]
    fn a_call_and_faults_read_back_as_they_were_kept() {
        let at = Moment::from_epoch_seconds(1_600_000_000).unwrap();
        let grouped =
            Destination::Grouped { inbox: "1".into(), group: "jo \"x\"".into(), subject: "Calls".into() };
        for destination in [grouped, Destination::Existing(7)] {
            let call = Call {
                identity: Identity { id: Some("5".into()), key: CallKey::from_id("", "5") },
                started_at: at,
                updated_at: Some(3),
                customer: Customer {
                    id: Some(4),
                    email: Some("jo@example.com".into()),
                    phone: None,
                    fields: vec![("firstName", "Jo".into())],
                    found_by: FoundBy::Account,
                },
                agent: Some("ada@example.com".into()),
                destination,
                text: "a\n\u{2}\u{1}\n\0".into(),
            };
            let back = read_call(&write(&Ok(call.clone())), call.identity.key, at, Some(3)).unwrap();
            assert_eq!(back, call);
        }
        let faults = vec![
            Fault::new(FaultKind::Customer, "none"),
            Fault::of_value(FaultKind::Time, "start", "x", "no time"),
        ];
        assert_eq!(read_faults(&write(&Err(Rejection { faults: faults.clone() }))), faults);
    }
}
