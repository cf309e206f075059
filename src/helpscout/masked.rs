//! Debug output that shows only the named fields of a type: what people say, their names and addresses stay out of logs.

/// Implements `Debug` for a type, showing the named fields alone.
macro_rules! masked_debug {
    ($kind:ident $(<$life:lifetime>)? { $($shown:ident),* }) => {
        impl std::fmt::Debug for $kind $(<$life>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($kind))$(.field(stringify!($shown), &self.$shown))*.finish_non_exhaustive()
            }
        }
    };
}

pub(super) use masked_debug;
