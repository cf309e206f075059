//! Which files are read: paths, globs and standard input, each file once.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::SourceError;

/// A file to be read, or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    name: Arc<str>,
    path: Option<PathBuf>,
    bytes: Option<u64>,
}

impl Input {
    /// As the user gave it, or as the glob found it; `-` for standard input.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Where it lies; `None` for standard input.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Its size as it lies on disk; `None` for standard input and pipes.
    pub fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    fn stdin() -> Self {
        Self { name: "-".into(), path: None, bytes: None }
    }

    fn file(path: &Path) -> Result<Self, SourceError> {
        let name = path.display().to_string();
        let data = fs::metadata(path).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => SourceError::Missing(name.clone()),
            _ => SourceError::Unopened { name: name.clone(), cause },
        })?;
        if data.is_dir() {
            return Err(SourceError::Folder(name.trim_end_matches('/').to_owned()));
        }
        let bytes = data.is_file().then_some(data.len());
        if bytes == Some(0) {
            return Err(SourceError::Empty(name.into()));
        }
        // A pipe is not opened on trial: what it holds can be read only once.
        if data.is_file() {
            fs::File::open(path).map_err(|cause| SourceError::Unopened { name: name.clone(), cause })?;
        }
        Ok(Self { name: name.into(), path: Some(path.to_owned()), bytes })
    }

    /// What makes two names the same file.
    fn identity(&self) -> PathBuf {
        let path = self.path.clone().unwrap_or_else(|| PathBuf::from("-"));
        fs::canonicalize(&path).unwrap_or(path)
    }
}

/// The files that `patterns` name, in the order given (those of a glob by name), each once.
pub fn expand(patterns: &[String]) -> Result<Vec<Input>, SourceError> {
    if patterns.is_empty() {
        return Err(SourceError::NothingGiven);
    }
    let mut seen = HashSet::new();
    let mut inputs = Vec::new();
    for pattern in patterns {
        for input in matches(pattern)? {
            if seen.insert((input.path.is_none(), input.identity())) {
                inputs.push(input);
            }
        }
    }
    Ok(inputs)
}

fn matches(pattern: &str) -> Result<Vec<Input>, SourceError> {
    if pattern == "-" {
        return Ok(vec![Input::stdin()]);
    }
    // A file whose name holds a bracket is meant before the pattern that its name would be.
    if !pattern.contains(['*', '?', '[']) || Path::new(pattern).exists() {
        return Ok(vec![Input::file(Path::new(pattern))?]);
    }
    let invalid = |reason: String| SourceError::Pattern { pattern: pattern.to_owned(), reason };
    let mut inputs = Vec::new();
    for path in glob::glob(pattern).map_err(|error| invalid(error.to_string()))? {
        let path = path.map_err(|error| SourceError::Unopened {
            name: error.path().display().to_string(),
            cause: error.into(),
        })?;
        if !path.is_dir() {
            inputs.push(Input::file(&path)?);
        }
    }
    if inputs.is_empty() {
        return Err(SourceError::NoMatch(pattern.to_owned()));
    }
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let mut file = fs::File::create(folder.path().join(name)).unwrap();
            io::Write::write_all(&mut file, content.as_bytes()).unwrap();
        }
        folder
    }

    fn names(folder: &tempfile::TempDir, patterns: &[&str]) -> Result<Vec<String>, String> {
        let patterns: Vec<String> =
            patterns.iter().map(|name| folder.path().join(name).display().to_string()).collect();
        let inputs = expand(&patterns).map_err(|error| error.to_string())?;
        let short = |input: &Input| input.path().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        Ok(inputs.iter().map(short).collect())
    }

    #[test]
    fn a_file_that_is_named_twice_is_read_once() {
        let folder = folder_with(&[("b.csv", "x"), ("a.csv", "x"), ("c.txt", "x")]);
        assert_eq!(names(&folder, &["b.csv", "*.csv", "./b.csv"]).unwrap(), ["b.csv", "a.csv"]);
    }

    #[test]
    fn what_cannot_be_found_is_named() {
        let folder = folder_with(&[("empty.csv", "")]);
        assert!(names(&folder, &["no.csv"]).unwrap_err().ends_with("no.csv` does not exist"));
        assert!(names(&folder, &["*.json"]).unwrap_err().ends_with("*.json` matches no file"));
        assert!(names(&folder, &["empty.csv"]).unwrap_err().ends_with("empty.csv` is empty"));
        assert!(names(&folder, &["a**b"]).unwrap_err().contains("is not a valid pattern"));
        assert!(names(&folder, &["."]).unwrap_err().contains("is a folder"));
        assert!(matches!(expand(&[]), Err(SourceError::NothingGiven)));
    }

    #[test]
    fn a_file_whose_name_looks_like_a_pattern_is_meant_itself() {
        let folder = folder_with(&[("calls[1].csv", "x"), ("calls1.csv", "x")]);
        assert_eq!(names(&folder, &["calls[1].csv"]).unwrap(), ["calls[1].csv"]);
    }

    #[test]
    fn standard_input_has_no_size_and_is_read_once() {
        let inputs = expand(&["-".into(), "-".into()]).unwrap();
        assert_eq!(inputs.len(), 1);
        assert_eq!((inputs[0].name().as_ref(), inputs[0].bytes()), ("-", None));
    }
}
