//! Which tags of a repository are meant.

use std::str::FromStr;

use globset::{Glob, GlobMatcher};
use soci_image::{Digest, Reference};
use soci_store::workflow::stands_for_another;

use crate::build::publish::{SIBLING_SUFFIX, TagModel};

/// What the command line says about tags.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Tags that are meant; all if there is none.
    pub only: Vec<TagGlob>,
    /// Tags that are not.
    pub except: Vec<TagGlob>,
    /// Which part of the work is this run's.
    pub shard: Option<Shard>,
    /// What the tag will name: with siblings, those of a tag that is there are ours.
    pub model: TagModel,
}

/// The tags of one repository that are meant, and how many are not.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The tags, sorted.
    pub tags: Vec<String>,
    /// Those that `--tags` and `--except` leave out.
    pub not_meant: usize,
    /// Those that stand for signatures, attestations, lists of referrers, or are what a run like this one made.
    pub not_images: usize,
    /// Those of other shards.
    pub elsewhere: usize,
}

impl Filter {
    /// Chooses among the tags of a repository.
    pub fn choose(&self, repository: &Reference, tags: &[String]) -> Chosen {
        let mut chosen = Chosen::default();
        for tag in tags {
            let meant = self.only.is_empty() || self.only.iter().any(|glob| glob.matches(tag));
            if !meant || self.except.iter().any(|glob| glob.matches(tag)) {
                chosen.not_meant += 1;
            } else if stands_for_another(tag) || self.is_sibling(tag, tags) {
                chosen.not_images += 1;
            } else if self.shard.is_some_and(|shard| !shard.has(repository, tag)) {
                chosen.elsewhere += 1;
            } else {
                chosen.tags.push(tag.clone());
            }
        }
        chosen.tags.sort_unstable();
        chosen
    }

    fn is_sibling(&self, tag: &str, tags: &[String]) -> bool {
        self.model == TagModel::Sibling
            && tag
                .strip_suffix(SIBLING_SUFFIX)
                .is_some_and(|first| tags.iter().any(|there| there == first))
    }
}

/// A pattern for tags: `*`, `?`, `[…]`, `{a,b}`.
#[derive(Debug, Clone)]
pub struct TagGlob(GlobMatcher);

impl TagGlob {
    fn matches(&self, tag: &str) -> bool {
        self.0.is_match(tag)
    }
}

impl FromStr for TagGlob {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let glob = Glob::new(text).map_err(|error| error.to_string())?;
        Ok(Self(glob.compile_matcher()))
    }
}

/// One of several runs that share the work: `2/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    index: u64,
    count: u64,
}

impl Shard {
    /// Whether the tag is this run's. The name alone decides, so runs agree whatever else is in the registry.
    fn has(self, repository: &Reference, tag: &str) -> bool {
        let name = format!("{}:{tag}", repository.name());
        let digest = Digest::sha256(name.as_bytes());
        let number = u64::from_str_radix(&digest.hex()[..15], 16).unwrap_or_default();
        number % self.count == self.index
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(number, count)| {
            let number: u64 = number.parse().ok()?;
            let count: u64 = count.parse().ok()?;
            (1..=count).contains(&number).then(|| Self {
                index: number - 1,
                count,
            })
        });
        parsed.ok_or_else(|| "a shard is I/N with I from 1 to N, such as 2/8".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn repository() -> Reference {
        Reference::parse("registry.example/shop/web").expect("a name")
    }

    fn filter(only: &[&str], except: &[&str], model: TagModel) -> Filter {
        let globs = |texts: &[&str]| texts.iter().map(|text| text.parse().expect("a glob")).collect();
        Filter {
            only: globs(only),
            except: globs(except),
            shard: None,
            model,
        }
    }

    fn choose(filter: &Filter, tags: &[&str]) -> Chosen {
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        filter.choose(&repository(), &tags)
    }

    #[test]
    fn what_names_no_image_is_left_out() {
        let hex = "0".repeat(64);
        let signature = format!("sha256-{hex}.sig");
        let referrers = format!("sha256-{hex}");
        let tags = ["1.4", "sha256-abc", &signature, &referrers];
        let chosen = choose(&filter(&[], &[], TagModel::Replace), &tags);
        assert_eq!(chosen.tags, ["1.4", "sha256-abc"]);
        assert_eq!(chosen.not_images, 2);
    }

    #[test]
    fn siblings_are_ours_only_beside_their_tag() {
        let tags = ["1", "1-soci", "2-soci"];
        let sibling = choose(&filter(&[], &[], TagModel::Sibling), &tags);
        assert_eq!(sibling.tags, ["1", "2-soci"]);
        let replace = choose(&filter(&[], &[], TagModel::Replace), &tags);
        assert_eq!(replace.tags, tags);
    }

    #[test]
    fn globs_choose_and_leave_out() {
        let filter = filter(&["v*", "main"], &["*-rc?"], TagModel::Replace);
        let chosen = choose(&filter, &["v1", "v2-rc1", "main", "dev"]);
        assert_eq!(chosen.tags, ["main", "v1"]);
        assert_eq!(chosen.not_meant, 2);
    }

    #[test]
    fn shards_are_read_as_people_count() {
        assert_eq!("1/1".parse(), Ok(Shard { index: 0, count: 1 }));
        for text in ["0/2", "3/2", "1", "1/0", "-1/2", "a/b", "1/2/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn shards_are_disjoint_and_complete(count in 1u64..9, tags: BTreeSet<String>) {
            let tags: Vec<String> = tags.into_iter().filter(|tag| !stands_for_another(tag)).collect();
            let mut seen = Vec::new();
            for index in 0..count {
                let mut filter = filter(&[], &[], TagModel::Replace);
                filter.shard = Some(Shard { index, count });
                seen.extend(filter.choose(&repository(), &tags).tags);
            }
            seen.sort_unstable();
            proptest::prop_assert_eq!(seen, tags);
        }
    }
}
