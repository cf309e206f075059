//! The person whose history a call belongs to.

use std::fmt;

/// What a row says of its customer: how Help Scout finds the person, and what a new profile is filled with.
///
/// The service takes an id or an e-mail; the rest is used only where a new customer is made (the page 'Create Phone
/// Thread', help-scout-api.md §8). Debug output shows no personal data.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Customer {
    /// Help Scout's id. Where it is given, everything else is ignored by the service.
    pub id: Option<u64>,
    /// Looked up by the service; a new customer is made where nobody has it.
    pub email: Option<String>,
    /// The number, as normalised by the mapping.
    pub phone: Option<String>,
    /// The optional fields of the service by their names there (`firstName`, `jobTitle`, …), checked against
    /// [`super::FIELD_RULES`].
    pub fields: Vec<(&'static str, String)>,
    /// What led to the customer.
    pub found_by: FoundBy,
}

/// What led from a row to its customer, the surest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FoundBy {
    /// The id that the row gives, or that `customer.hidden` gives to calls without a number.
    Id,
    /// The e-mail that the row gives.
    Email,
    /// The user's directory, by the number.
    Directory,
    /// What `callport pull` wrote of the account, by the number.
    Account,
    /// A customer whom the checkpoint knew by the number.
    Checkpoint,
    /// The only e-mail that came with the number in the input.
    OnlyEmail,
    /// Nothing: there is a number, and no more.
    #[default]
    Nothing,
}

impl Customer {
    /// What the customer is known by: the id, else the e-mail, else the number.
    pub fn key(&self) -> Option<CustomerKey> {
        match (self.id, &self.email, &self.phone) {
            (Some(id), _, _) => Some(CustomerKey::Id(id)),
            (None, Some(email), _) => Some(CustomerKey::Email(email.to_lowercase())),
            (None, None, Some(phone)) => Some(CustomerKey::Phone(phone.clone())),
            (None, None, None) => None,
        }
    }

    /// The value of one of the optional fields.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The name as a person reads it, else the e-mail, else the number, else the id.
    pub fn shown(&self) -> String {
        let name: Vec<&str> = ["firstName", "lastName"].iter().filter_map(|name| self.field(name)).collect();
        if !name.is_empty() {
            return name.join(" ");
        }
        self.email
            .clone()
            .or_else(|| self.phone.clone())
            .or_else(|| self.id.map(|id| format!("customer {id}")))
            .unwrap_or_default()
    }
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer")
            .field("id", &self.id)
            .field("email", &self.email.as_ref().map(|_| "…"))
            .field("phone", &self.phone.as_ref().map(|_| "…"))
            .field("fields", &self.fields.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("found_by", &self.found_by)
            .finish()
    }
}

/// How a customer is known: what groups calls, and what a request may name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CustomerKey {
    /// By Help Scout's id.
    Id(u64),
    /// By e-mail, in lower case.
    Email(String),
    /// By number alone: Help Scout must be given a customer first.
    Phone(String),
}

impl CustomerKey {
    /// A text that no other key shares: `id:456`, `email:jo@example.com`, `phone:+15550100`.
    pub fn canonical(&self) -> String {
        match self {
            Self::Id(id) => format!("id:{id}"),
            Self::Email(email) => format!("email:{email}"),
            Self::Phone(phone) => format!("phone:{phone}"),
        }
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "Id({id})"),
            Self::Email(_) => f.write_str("Email(…)"),
            Self::Phone(_) => f.write_str("Phone(…)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_masks_personal_data() {
        let customer = Customer {
            id: None,
            email: Some("jo@example.com".into()),
            phone: Some("+15550100".into()),
            fields: vec![("firstName", "Jo".into())],
            found_by: FoundBy::Email,
        };
        let shown = format!("{customer:?} {:?}", customer.key());
        for private in ["jo@", "+1555", "\"Jo\""] {
            assert!(!shown.contains(private), "{shown}");
        }
    }

    #[test]
    fn an_id_outranks_an_email_and_an_email_a_number() {
        let mut customer = Customer {
            id: Some(4),
            email: Some("Jo@Example.com".into()),
            phone: Some("+1".into()),
            fields: vec![],
            found_by: FoundBy::Email,
        };
        assert_eq!(customer.key(), Some(CustomerKey::Id(4)));
        customer.id = None;
        assert_eq!(customer.key(), Some(CustomerKey::Email("jo@example.com".into())));
        customer.email = None;
        assert_eq!(customer.key(), Some(CustomerKey::Phone("+1".into())));
    }
}
