//! What everybody sees of every column.

use super::access::Sight;
use super::changes::columns;
use super::evaluator::Evaluator;
use crate::catalog::TableName;

/// Principals by columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    pub principals: Vec<String>,
    /// Table by table, in the order of its columns.
    pub columns: Vec<(TableName, String)>,
    /// One list for each principal, with one for each column in it.
    pub sights: Vec<Vec<Sight>>,
}

impl Matrix {
    /// What `principals` see of the columns of the tables that `wanted` chooses.
    pub fn of(evaluator: &Evaluator, principals: Vec<String>, wanted: impl Fn(&TableName) -> bool) -> Matrix {
        let all = columns(evaluator);
        let kept: Vec<usize> = all.iter().enumerate().filter(|(_, (table, _))| wanted(table)).map(|(at, _)| at).collect();
        let sights = principals.iter().map(|principal| {
            let own = evaluator.sights(principal);
            kept.iter().map(|at| own[*at]).collect()
        });
        let sights = sights.collect();
        Matrix { principals, columns: all.into_iter().filter(|(table, _)| wanted(table)).collect(), sights }
    }
}
