//! What the results of functions hold, all together.

use arrow::array::{Array, ArrayData, ArrayRef, make_array};
use arrow::buffer::Buffer;
use bytes::Bytes;
use datafusion::common::{DataFusionError, Result};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a result that isn't counted.
pub(super) const SMALL: u64 = 4 << 20;

/// How many bytes the large results of functions may hold that are in use at the same time.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    most: u64,
    held: Arc<AtomicU64>,
}

impl PartialEq for Budget {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.held, &other.held)
    }
}

impl Eq for Budget {}

impl Hash for Budget {
    // Those that differ are of different engines, and never meet.
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Budget {
    pub(super) fn new(most: u64) -> Budget {
        Budget { most, held: Arc::default() }
    }

    /// `array`, which is counted from now on until nobody holds it any more.
    ///
    /// # Errors
    /// Where there would be too much with it.
    pub(super) fn count(&self, array: ArrayRef) -> Result<ArrayRef> {
        let bytes = array.get_buffer_memory_size() as u64;
        if bytes <= SMALL {
            return Ok(array);
        }
        let held = self.held.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let charge = Arc::new(Charge { bytes, held: self.held.clone() });
        if held > self.most {
            return Err(DataFusionError::ResourcesExhausted(format!("the results of functions hold {held} bytes")));
        }
        Ok(make_array(charged(array.to_data(), &charge)?))
    }
}

/// A part of the budget, which is given back when this is dropped.
#[derive(Debug)]
struct Charge {
    bytes: u64,
    held: Arc<AtomicU64>,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The bytes of a buffer, and what they are charged to.
struct Charged {
    buffer: Buffer,
    _charge: Arc<Charge>,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

/// The same data, whose buffers hold `charge`.
fn charged(data: ArrayData, charge: &Arc<Charge>) -> Result<ArrayData> {
    let wrapped = |buffer: &Buffer| match buffer.is_empty() {
        true => buffer.clone(),
        false => Buffer::from(Bytes::from_owner(Charged { buffer: buffer.clone(), _charge: charge.clone() })),
    };
    let buffers = data.buffers().iter().map(wrapped).collect();
    let children = data.child_data().iter().map(|child| charged(child.clone(), charge)).collect::<Result<Vec<_>>>()?;
    Ok(data.into_builder().buffers(buffers).child_data(children).build()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{StringArray, StringViewArray};

    #[test]
    fn what_is_held_at_the_same_time_is_counted() {
        let long = "x".repeat(6 << 20);
        let budget = Budget::new(20 << 20);
        let made = || -> ArrayRef { Arc::new(StringArray::from(vec![long.as_str(), "y"])) };
        let first = budget.count(made()).unwrap();
        assert_eq!(&first, &made());
        let part = budget.count(Arc::new(StringViewArray::from(vec![long.as_str()]))).unwrap().slice(0, 1);
        assert!(matches!(budget.count(made()), Err(DataFusionError::ResourcesExhausted(_))));
        drop(first);
        drop(budget.count(made()).unwrap());
        drop(part);
        assert_eq!(budget.held.load(Ordering::Relaxed), 0);
    }
}
