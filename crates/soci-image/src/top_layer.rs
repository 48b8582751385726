//! A layer that was put on top of an image and repeats some of it: how it is marked, and the image's config with and
//! without it.
//!
//! Two marks say what it is, because each can get lost: annotations of its descriptor (which `docker push` drops), and an
//! entry of the config's history (which some images do not have).
//!
//! ```text
//! manifest   layers[last].annotations  io.github.cargo-soci.start-layer: digest of the trace
//!                                      io.github.cargo-soci.restated-directories: true
//!                                      io.github.cargo-soci.config-before: digest of the config without it
//! config     rootfs.diff_ids[last]     digest of its tar
//!            history[last]             created as the image, created_by "cargo soci …", comment with the mark
//! ```

use crate::annotation::{CONFIG_BEFORE, RESTATED_DIRECTORIES, START_LAYER};
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::json::Json;

/// What a layer on top repeats.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TopLayer {
    /// Files that a start needs; the digest of its trace, where the mark still has it.
    pub start: Option<Option<Digest>>,
    /// Directories whose attributes a lazy client would lose.
    pub directories: bool,
}

impl TopLayer {
    /// A layer that repeats the files of a start whose traces have this digest, or directories, or both; `None` for
    /// one that repeats nothing.
    pub fn new(start: Option<Digest>, directories: bool) -> Option<Self> {
        let top = Self {
            start: start.map(Some),
            directories,
        };
        (top != Self::default()).then_some(top)
    }

    /// What a layer's descriptor says.
    pub fn of_descriptor(layer: &Descriptor) -> Option<Self> {
        let top = Self {
            start: layer.annotation(START_LAYER).map(|text| Digest::parse(text).ok()),
            directories: layer.annotation(RESTATED_DIRECTORIES).is_some(),
        };
        (top != Self::default()).then_some(top)
    }

    /// What the history of a config says of the highest layer.
    pub fn of_config(config: &[u8]) -> Option<Self> {
        let config = Json::parse(config).ok()?;
        let history = config.get("history")?.as_array()?;
        let comment = history[highest(history)?].get("comment")?.as_str()?;
        let has = |mark: &str| comment.split(' ').any(|word| word == mark);
        let top = Self {
            start: has(START_LAYER).then_some(None),
            directories: has(RESTATED_DIRECTORIES),
        };
        (top != Self::default()).then_some(top)
    }

    /// The annotations of the layer's descriptor. `config` is that of the image without the layer.
    pub fn annotate(&self, layer: &mut Descriptor, config: &Digest) {
        let mut put = |key: &str, value: String| layer.annotations.insert(key.to_owned(), value);
        if let Some(Some(trace)) = &self.start {
            put(START_LAYER, trace.to_string());
        }
        if self.directories {
            put(RESTATED_DIRECTORIES, "true".to_owned());
        }
        put(CONFIG_BEFORE, config.to_string());
    }

    /// The config of the image with this layer on top. A history that tells of every layer gets an entry; another one
    /// stays as it is.
    ///
    /// # Errors
    /// If the config does not list as many `diff_ids` as the image has layers.
    pub fn add_to_config(&self, config: &[u8], layers: usize, diff_id: &Digest) -> Result<Vec<u8>> {
        let mut config = Json::parse(config)?;
        let created = config
            .get("created")
            .filter(|text| text.as_str().is_some())
            .cloned();
        let ids = diff_ids(&mut config)?;
        if ids.len() != layers {
            return Err(Error::field(
                "rootfs.diff_ids",
                format!("{} are listed for {layers} layers", ids.len()),
            ));
        }
        ids.push(Json::String(diff_id.to_string()));
        if let Some(Json::Array(history)) = get_mut(&mut config, "history")
            && history.iter().filter(|entry| !is_empty_layer(entry)).count() == layers
        {
            let mut entry = Vec::new();
            if let Some(created) = created {
                entry.push(("created".to_owned(), created));
            }
            entry.push(("created_by".to_owned(), Json::from(self.created_by())));
            entry.push(("comment".to_owned(), Json::String(self.comment())));
            history.push(Json::Object(entry));
        }
        Ok(config.to_vec())
    }

    fn created_by(&self) -> &'static str {
        match (self.start.is_some(), self.directories) {
            (true, false) => "cargo soci convert --start-layer",
            (false, _) => "cargo soci convert --restate-directories",
            (true, true) => "cargo soci convert --start-layer --restate-directories",
        }
    }

    fn comment(&self) -> String {
        let marks = [
            (self.start.is_some(), START_LAYER),
            (self.directories, RESTATED_DIRECTORIES),
        ];
        let marks = marks
            .into_iter()
            .filter_map(|(holds, mark)| holds.then_some(mark));
        marks.collect::<Vec<_>>().join(" ")
    }
}

/// The config of an image without its highest layer, which is one of ours. `layer` is that layer's descriptor: if it says
/// which config there was before, that one's spelling is taken.
///
/// # Errors
/// If the config is not one, or lists no layer.
pub fn take_from_config(config: &[u8], layer: &Descriptor) -> Result<Vec<u8>> {
    let is_told = TopLayer::of_config(config).is_some();
    let mut config = Json::parse(config)?;
    if diff_ids(&mut config)?.pop().is_none() {
        return Err(Error::field("rootfs.diff_ids", "no layer is listed"));
    }
    if is_told
        && let Some(Json::Array(history)) = get_mut(&mut config, "history")
        && let Some(highest) = highest(history)
    {
        history.remove(highest);
    }
    let compact = config.to_vec();
    let before = layer
        .annotation(CONFIG_BEFORE)
        .and_then(|text| Digest::parse(text).ok());
    let with_line_end = |bytes: &[u8]| [bytes, b"\n"].concat();
    let spellings = [
        compact.clone(),
        with_line_end(&compact),
        config.to_indented(),
        with_line_end(&config.to_indented()),
    ];
    let first = |before: Digest| spellings.into_iter().find(|bytes| before.matches(bytes));
    Ok(before.and_then(first).unwrap_or(compact))
}

/// Which entry of the history tells of the highest layer: later builds may have added entries without layers.
fn highest(history: &[Json]) -> Option<usize> {
    history.iter().rposition(|entry| !is_empty_layer(entry))
}

fn is_empty_layer(entry: &Json) -> bool {
    entry.get("empty_layer") == Some(&Json::Bool(true))
}

fn diff_ids(config: &mut Json) -> Result<&mut Vec<Json>> {
    let listed = get_mut(config, "rootfs").and_then(|rootfs| get_mut(rootfs, "diff_ids"));
    match listed {
        Some(Json::Array(ids)) => Ok(ids),
        _ => Err(Error::field("rootfs.diff_ids", "the config has no such list")),
    }
}

/// The last entry of that name, as readers take it.
fn get_mut<'j>(value: &'j mut Json, key: &str) -> Option<&'j mut Json> {
    match value {
        Json::Object(entries) => entries
            .iter_mut()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const D: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn digest() -> Digest {
        Digest::parse(D).unwrap()
    }

    fn both() -> TopLayer {
        TopLayer::new(Some(digest()), true).unwrap()
    }

    fn configs() -> [String; 3] {
        let history = r#","history":[{"created_by":"a"},{"empty_layer":true},{"comment":"b"}]"#;
        let of = |history: &str| {
            format!(
                r#"{{"created":"2026-01-02T03:04:05Z","x":1.50,"rootfs":{{"type":"layers","diff_ids":["{D}","{D}"]}}{history}}}"#
            )
        };
        let indented = Json::parse(of(history).as_bytes()).unwrap().to_indented();
        [of(history), of(""), String::from_utf8(indented).unwrap() + "\n"]
    }

    #[test]
    fn a_config_gets_its_bytes_back() {
        for config in configs() {
            let with = both().add_to_config(config.as_bytes(), 2, &digest()).unwrap();
            let mut layer = Descriptor::of("", b"");
            both().annotate(&mut layer, &Digest::sha256(config.as_bytes()));
            let back = take_from_config(&with, &layer).unwrap();
            assert_eq!(String::from_utf8(back).unwrap(), config);
        }
    }

    #[test]
    fn both_marks_say_what_it_is() {
        let [told, untold, _] = configs();
        let with = both().add_to_config(told.as_bytes(), 2, &digest()).unwrap();
        assert_eq!(
            String::from_utf8(with.clone()).unwrap(),
            format!(
                r#"{{"created":"2026-01-02T03:04:05Z","x":1.50,"rootfs":{{"type":"layers","diff_ids":["{D}","{D}","{D}"]}},"history":[{{"created_by":"a"}},{{"empty_layer":true}},{{"comment":"b"}},{{"created":"2026-01-02T03:04:05Z","created_by":"cargo soci convert --start-layer --restate-directories","comment":"io.github.cargo-soci.start-layer io.github.cargo-soci.restated-directories"}}]}}"#
            )
        );
        let found = TopLayer::of_config(&with).unwrap();
        assert_eq!((found.start, found.directories), (Some(None), true));
        let later = String::from_utf8(with)
            .unwrap()
            .replace("}]}", "},{\"created_by\":\"ENV\",\"empty_layer\":true}]}");
        assert!(TopLayer::of_config(later.as_bytes()).is_some());
        let without = both().add_to_config(untold.as_bytes(), 2, &digest()).unwrap();
        assert_eq!(TopLayer::of_config(&without), None);
        assert_eq!(TopLayer::of_config(told.as_bytes()), None);
        let mut layer = Descriptor::of("", b"");
        assert_eq!(TopLayer::of_descriptor(&layer), None);
        both().annotate(&mut layer, &digest());
        assert_eq!(TopLayer::of_descriptor(&layer), Some(both()));
        assert_eq!(TopLayer::new(None, false), None);
    }

    #[test]
    fn a_config_of_other_layers_is_refused() {
        let [config, ..] = configs();
        let error = both().add_to_config(config.as_bytes(), 3, &digest()).unwrap_err();
        assert_eq!(error.to_string(), "rootfs.diff_ids: 2 are listed for 3 layers");
        let layer = Descriptor::of("", b"");
        for (config, said) in [
            ("{}", "rootfs.diff_ids: the config has no such list"),
            (
                r#"{"rootfs":{"diff_ids":[]}}"#,
                "rootfs.diff_ids: no layer is listed",
            ),
        ] {
            let error = take_from_config(config.as_bytes(), &layer).unwrap_err();
            assert_eq!(error.to_string(), said);
        }
    }
}
