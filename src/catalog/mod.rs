//! Which tables a lake has, what they look like, and which files hold their rows.
