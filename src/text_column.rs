//! Builds a text column whose values lie in the block they were read from.

use crate::escape;
use arrow::array::{ArrayRef, NullBufferBuilder, StringViewArray, make_view};
use arrow::buffer::{Buffer, ScalarBuffer};
use bytes::Bytes;
use std::sync::Arc;

/// The bytes of a block that values are taken from, and whether they need care.
#[derive(Debug, Clone, Copy)]
pub(super) struct Care {
    /// The whole block is UTF-8, and so is every value cut out of it at ASCII bytes.
    pub valid_utf8: bool,
    /// Values are unescaped.
    pub unescape: bool,
}

/// A column of views: 16 bytes a value, no copy of the text unless it has to be changed.
#[derive(Debug)]
pub(super) struct TextColumn {
    views: Vec<u128>,
    nulls: NullBufferBuilder,
    /// Text that is not in the block as it is needed: unescaped, or with bytes escaped that are not UTF-8.
    changed: Vec<u8>,
}

const BLOCK: u32 = 0;
const CHANGED: u32 = 1;

impl TextColumn {
    pub(super) fn with_capacity(rows: usize) -> Self {
        TextColumn { views: Vec::with_capacity(rows), nulls: NullBufferBuilder::new(rows), changed: Vec::new() }
    }

    #[inline]
    pub(super) fn push_null(&mut self) {
        self.views.push(0);
        self.nulls.append_null();
    }

    /// Appends `value`, which lies at `offset` in the block.
    #[inline]
    pub(super) fn push(&mut self, value: &[u8], offset: u32, care: Care) {
        if care.valid_utf8 && !care.unescape {
            self.views.push(make_view(value, BLOCK, offset));
            self.nulls.append_non_null();
        } else {
            self.push_with_care(value, offset, care);
        }
    }

    #[cold]
    fn push_with_care(&mut self, value: &[u8], offset: u32, care: Care) {
        let start = self.changed.len();
        if care.unescape && memchr::memchr(b'\\', value).is_some() {
            escape::unescape(value, &mut self.changed);
            if std::str::from_utf8(&self.changed[start..]).is_err() {
                let decoded = self.changed.split_off(start);
                escape::escape_invalid(&decoded, &mut self.changed);
            }
        } else if !care.valid_utf8 && std::str::from_utf8(value).is_err() {
            escape::escape_invalid(value, &mut self.changed);
        } else {
            self.views.push(make_view(value, BLOCK, offset));
            self.nulls.append_non_null();
            return;
        }
        self.views.push(make_view(&self.changed[start..], CHANGED, start as u32));
        self.nulls.append_non_null();
    }

    /// Appends text that is not in the block; bytes that are not UTF-8 are escaped.
    pub(crate) fn push_changed(&mut self, value: &[u8]) {
        let start = self.changed.len();
        escape::escape_invalid(value, &mut self.changed);
        self.views.push(make_view(&self.changed[start..], CHANGED, start as u32));
        self.nulls.append_non_null();
    }

    /// As [`TextColumn::push_changed`], or NULL.
    pub(crate) fn push_changed_or_null(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => self.push_changed(value),
            None => self.push_null(),
        }
    }

    /// The column; `block` is what every value was pushed from.
    pub(super) fn finish(&mut self, block: &Bytes) -> ArrayRef {
        let views = ScalarBuffer::from(std::mem::take(&mut self.views));
        let nulls = self.nulls.finish();
        let mut buffers = vec![Buffer::from(block.clone())];
        if !self.changed.is_empty() {
            buffers.push(Buffer::from_vec(std::mem::take(&mut self.changed)));
        }
        // SAFETY: every view was made by `make_view` from a slice of the buffer and at the offset that it names, and the bytes
        // of each were either cut out of valid UTF-8 at ASCII bytes, checked on their own, or escaped until they were UTF-8.
        #[allow(unsafe_code)]
        let array = unsafe { StringViewArray::new_unchecked(views, buffers, nulls) };
        Arc::new(array)
    }
}
