//! Where the files of a run are.

use std::path::{Path, PathBuf};

/// The configuration's name where no other is given.
pub const CONFIG_NAME: &str = "callport.toml";
/// The checkpoint's name where no other is given.
pub const CHECKPOINT_NAME: &str = "callport.checkpoint";

/// The paths of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The configuration; `None` runs without one.
    pub config: Option<PathBuf>,
    /// The checkpoint: as asked for, else beside the configuration, else in the working directory.
    pub checkpoint: PathBuf,
}

impl Paths {
    /// From the options `--config` and `--checkpoint`; `default_is_there` tells whether [`CONFIG_NAME`] is in the working
    /// directory.
    pub fn new(config: Option<PathBuf>, checkpoint: Option<PathBuf>, default_is_there: bool) -> Self {
        let config = config.or_else(|| default_is_there.then(|| PathBuf::from(CONFIG_NAME)));
        let checkpoint = checkpoint.unwrap_or_else(|| {
            let folder = config.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new(""));
            folder.join(CHECKPOINT_NAME)
        });
        Self { config, checkpoint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkpoint_lies_beside_the_configuration() {
        let shown = |config: Option<&str>, checkpoint: Option<&str>, there| {
            let paths = Paths::new(config.map(Into::into), checkpoint.map(Into::into), there);
            (paths.config.map(|path| path.display().to_string()), paths.checkpoint.display().to_string())
        };
        assert_eq!(shown(None, None, false), (None, "callport.checkpoint".into()));
        assert_eq!(shown(None, None, true), (Some("callport.toml".into()), "callport.checkpoint".into()));
        assert_eq!(
            shown(Some("a/b.toml"), None, true),
            (Some("a/b.toml".into()), "a/callport.checkpoint".into())
        );
        assert_eq!(shown(Some("a/b.toml"), Some("c"), true), (Some("a/b.toml".into()), "c".into()));
    }
}
