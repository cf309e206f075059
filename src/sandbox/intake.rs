//! The customer that a body names: found by id or e-mail, or made.
//!
//! The seed page's rules: an id wins over an e-mail; an e-mail is looked up; an unknown e-mail makes a customer with the
//! optional fields, which are judged only then, because for a known customer they are ignored.

use std::collections::HashMap;

use super::customer::Customer;
use super::json::Json;
use super::rules::{Place, Problems, Refusal, is_email};
use super::world::World;

/// Texts with a largest size, by their names in the API.
const SIZED: &[(&str, usize)] =
    &[("photoUrl", 200), ("jobTitle", 60), ("background", 200), ("location", 60), ("organization", 60)];

const PHOTO_TYPES: &[&str] =
    &["unknown", "gravatar", "twitter", "facebook", "googleprofile", "googleplus", "linkedin", "instagram"];

const GENDERS: &[&str] = &["male", "female", "unknown"];

/// Reads the fields of a new customer, but for its e-mails.
pub(crate) fn read_customer(problems: &mut Problems, json: &Json<'_>, place: &Place<'_>) -> Customer {
    let name = |problems: &mut Problems, key| problems.sized(json, place, key, (1, 40)).unwrap_or("").into();
    let mut customer = Customer {
        first_name: name(problems, "firstName"),
        last_name: name(problems, "lastName"),
        ..Customer::default()
    };
    for (key, most) in SIZED {
        if let Some(text) = problems.sized(json, place, key, (0, *most)) {
            customer.details.push(((*key).into(), text.into()));
        }
    }
    for (key, words) in [("photoType", PHOTO_TYPES), ("gender", GENDERS)] {
        if let Some(word) = problems.word(json, place, key, words) {
            customer.details.push((key.into(), word.into()));
        }
    }
    match json.get("age") {
        None => {}
        Some(Json::Number(age)) => customer.details.push(("age".into(), age.as_str().into())),
        Some(_) => {
            if let Some(age) = problems.text(json, place, "age") {
                customer.details.push(("age".into(), age.into()));
            }
        }
    }
    customer.phones.extend(problems.text(json, place, "phone").map(Box::from));
    customer
}

/// Finds the customers of one request, and gathers those that it makes.
#[derive(Debug)]
pub(crate) struct Intake<'w> {
    world: &'w World,
    now_ms: i64,
    /// Customers that this request makes.
    pub(crate) fresh: Vec<Customer>,
    by_email: HashMap<Box<str>, u64>,
    /// The e-mail that was found last, and whose it is: the threads of a conversation name the same customer.
    last: Option<(Box<str>, u64)>,
    missing: Option<String>,
}

impl<'w> Intake<'w> {
    /// For a request that came at `now_ms`.
    pub(crate) fn new(world: &'w World, now_ms: i64) -> Self {
        Self { world, now_ms, fresh: Vec::new(), by_email: HashMap::new(), last: None, missing: None }
    }

    /// The world that is asked.
    pub(crate) fn world(&self) -> &'w World {
        self.world
    }

    /// The customer of `object`, by its member `customer`.
    pub(crate) fn customer(
        &mut self,
        problems: &mut Problems,
        object: &Json<'_>,
        place: &Place<'_>,
        required: bool,
    ) -> Option<u64> {
        let here = place.member("customer");
        let Some(json) = object.get("customer") else {
            if required {
                problems.add(here, "may not be null", None);
            }
            return None;
        };
        if !matches!(json, Json::Object(_)) {
            problems.add(here, "must be an object", Some(json));
            return None;
        }
        if json.get("id").is_some() {
            let id = problems.id(json, &here, "id")?;
            if self.world.customer(id).is_none() {
                self.lacks(format!("customer {id} is not found"));
            }
            return Some(id);
        }
        if json.get("email").is_none() {
            problems.add(here, "must contain a valid customer id or an email address", None);
            return None;
        }
        let email = problems.text(json, &here, "email")?;
        if let Some((_, id)) = self.last.as_ref().filter(|(last, _)| **last == *email) {
            return Some(*id);
        }
        if !is_email(email) {
            problems.add(here.member("email"), "must be a valid email address", json.get("email"));
            return None;
        }
        let id = match self.world.customer_by_email(email) {
            Some(known) => known,
            None => self.made(problems, json, &here, email),
        };
        self.last = Some((email.into(), id));
        Some(id)
    }

    fn made(&mut self, problems: &mut Problems, json: &Json<'_>, place: &Place<'_>, email: &str) -> u64 {
        let key: Box<str> = email.to_lowercase().into();
        if let Some(known) = self.by_email.get(&key) {
            return *known;
        }
        let mut customer = read_customer(problems, json, place);
        customer.id = self.world.next().customer + self.fresh.len() as u64;
        customer.emails = vec![email.into()];
        customer.inserted_ms = self.now_ms;
        self.by_email.insert(key, customer.id);
        let id = customer.id;
        self.fresh.push(customer);
        id
    }

    /// A user named by a member, if given; noted as missing if there is none.
    pub(crate) fn user(
        &mut self,
        problems: &mut Problems,
        object: &Json<'_>,
        place: &Place<'_>,
        key: &'static str,
    ) -> Option<u64> {
        let id = problems.id(object, place, key)?;
        if self.world.user(id).is_none() {
            self.lacks(format!("user {id} is not found"));
        }
        Some(id)
    }

    fn lacks(&mut self, what: String) {
        self.missing.get_or_insert(what);
    }

    /// Ends the look-up: 404 if the body names something that is not there.
    pub(crate) fn settle(&mut self) -> Result<(), Refusal> {
        self.missing.take().map_or(Ok(()), |what| Err(Refusal::NotFound(what)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::seed::Seed;
    use super::*;

    /// What a body's customer comes to: its id, the number of customers made, and the faults.
    fn taken(body: &str) -> (Option<u64>, usize, Vec<String>, bool) {
        let seed = r#"{"customers":[{"id":456,"emails":["jo@example.com"]}]}"#;
        let world = Seed::parse(seed).unwrap().into_world();
        let mut intake = Intake::new(&world, 0);
        let mut problems = Problems::default();
        let json = Json::parse(body.as_bytes()).unwrap();
        let id = intake.customer(&mut problems, &json, &Place::TOP, true);
        let paths = problems.0.into_iter().map(|one| one.path).collect();
        let made = intake.fresh.len();
        (id, made, paths, intake.settle().is_err())
    }

    #[test]
    fn an_id_wins_and_the_rest_is_ignored() {
        let body = r#"{"customer":{"id":456,"email":"not one","firstName":""}}"#;
        assert_eq!(taken(body), (Some(456), 0, vec![], false));
    }

    #[test]
    fn a_known_e_mail_finds_and_the_rest_is_ignored() {
        let body = r#"{"customer":{"email":"JO@example.com","gender":"none","lastName":""}}"#;
        assert_eq!(taken(body), (Some(456), 0, vec![], false));
    }

    #[test]
    fn an_unknown_e_mail_makes_a_customer_whose_fields_are_judged() {
        let good =
            r#"{"customer":{"email":"a@example.com","firstName":"A","phone":"+1 555 0100","age":"30"}}"#;
        let (id, made, paths, _) = taken(good);
        assert!(id.is_some() && made == 1 && paths.is_empty());
        let long = "x".repeat(201);
        let bad = format!(
            r#"{{"customer":{{"email":"a@example.com","firstName":"","lastName":"{long}","photoUrl":"{long}","jobTitle":"{long}",
            "photoType":"x","background":"{long}","location":"{long}","organization":"{long}","gender":"x","age":[]}}}}"#
        );
        let expected = [
            "firstName",
            "lastName",
            "photoUrl",
            "jobTitle",
            "background",
            "location",
            "organization",
            "photoType",
            "gender",
            "age",
        ];
        assert_eq!(taken(&bad).2, expected.map(|field| format!("customer.{field}")));
    }

    #[test]
    fn the_limits_themselves_are_allowed() {
        let body = format!(
            r#"{{"customer":{{"email":"a@example.com","firstName":"{}","background":"{}","organization":"{}"}}}}"#,
            "é".repeat(40),
            "x".repeat(200),
            "x".repeat(60)
        );
        assert_eq!(taken(&body).2, Vec::<String>::new());
    }

    #[test]
    fn without_id_and_e_mail_there_is_no_customer() {
        assert_eq!(taken(r#"{"customer":{"phone":"+15550100"}}"#).2, ["customer"]);
        assert_eq!(taken("{}").2, ["customer"]);
        assert_eq!(taken(r#"{"customer":5}"#).2, ["customer"]);
        assert_eq!(taken(r#"{"customer":{"email":"jo@"}}"#).2, ["customer.email"]);
        assert_eq!(taken(r#"{"customer":{"id":-5}}"#).2, ["customer.id"]);
    }

    #[test]
    fn an_unknown_id_is_missing() {
        assert_eq!(taken(r#"{"customer":{"id":457}}"#), (Some(457), 0, vec![], true));
    }
}
