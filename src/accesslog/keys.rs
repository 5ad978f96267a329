//! The keys by which the values of a line of JSON are found.

/// The keys of an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Keys {
    pub(super) members: Vec<Member>,
}

/// A key, as it is written, and what its value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) key: Vec<u8>,
    pub(super) place: Place,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    /// The value of the step of this index.
    Step(usize),
    /// The same in an array of one: headers, which a client may send twice.
    Only(usize),
    Object(Keys),
}

impl Keys {
    /// The member of this `key`, which is mostly the one that `expected` says, and its place.
    #[inline]
    pub(super) fn find(&self, key: &[u8], expected: usize) -> Option<(usize, &Member)> {
        match self.members.get(expected) {
            Some(member) if member.key == key => Some((expected, member)),
            _ => self.members.iter().enumerate().find(|(_, member)| member.key == key),
        }
    }

    /// The key of the value of `step`, behind those of the objects that it is in.
    pub(super) fn of_step(&self, step: usize) -> Option<Vec<&[u8]>> {
        self.members.iter().find_map(|member| {
            let mut path = match &member.place {
                Place::Step(of) | Place::Only(of) => (*of == step).then(Vec::new)?,
                Place::Object(keys) => keys.of_step(step)?,
            };
            path.insert(0, &member.key[..]);
            Some(path)
        })
    }
}
