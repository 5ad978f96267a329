//! A query as it is asked.

use sha2::{Digest, Sha256};

/// A query, and where it is to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The text of the query, with a `?` for each parameter.
    pub sql: String,
    /// SQL expressions, one for each `?`; see [`super::expression`].
    pub parameters: Vec<String>,
    /// The database of tables that are named without one.
    pub database: Option<String>,
    /// The workgroup whose limits and settings hold.
    pub workgroup: String,
    /// Where Athena keeps the result, where the workgroup doesn't say it.
    pub result_location: Option<String>,
}

impl Request {
    /// The same request of another query.
    #[must_use]
    pub fn of(&self, sql: &str) -> Request {
        Request { sql: sql.to_string(), ..self.clone() }
    }

    /// A token by which Athena knows the request again. It compares neither parameters nor workgroup itself: all that the answer
    /// depends on must be in the token, and `run`, as the same question may be asked again.
    pub(super) fn token(&self, run: &str) -> String {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            // With its length before it, no part can be taken for two.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        let Request { sql, parameters, database, workgroup, result_location } = self;
        [run, sql, workgroup].into_iter().for_each(&mut add);
        [database, result_location].into_iter().for_each(|part| add(&part.as_ref().map_or(String::new(), |part| format!("={part}"))));
        parameters.iter().for_each(|parameter| add(parameter));
        hex::encode(hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_token_differs_where_anything_does() {
        let request = Request { sql: "SELECT ?".to_string(), workgroup: "a".to_string(), ..Request::default() };
        let parameters =
            |parameters: &[&str]| Request { parameters: parameters.iter().map(|p| p.to_string()).collect(), ..request.clone() };
        let others = [
            request.clone(),
            request.of("SELECT  ?"),
            parameters(&["1"]),
            parameters(&["2"]),
            parameters(&["1", "2"]),
            parameters(&["12"]),
            Request { workgroup: "b".to_string(), ..request.clone() },
            Request { database: Some("d".to_string()), ..request.clone() },
            Request { database: Some(String::new()), ..request.clone() },
            Request { result_location: Some("d".to_string()), ..request.clone() },
        ];
        let tokens: HashSet<String> = others.iter().map(|request| request.token("run")).chain([request.token("next run")]).collect();
        assert_eq!(tokens.len(), others.len() + 1);
        assert_eq!(request.token("run"), request.clone().token("run"));
        // Athena takes 32 to 128 characters.
        assert!(tokens.iter().all(|token| token.len() == 64));
    }
}
