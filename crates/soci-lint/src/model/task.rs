//! Task definitions and their containers.

use super::View;
use super::image::Image;
use super::placement::Placement;
use super::value::{Branch, Case, Hole, condition_text};
use crate::source::TextRange;

/// A task definition.
pub(crate) struct Task<'a> {
    /// Family, logical id, or a stand-in.
    pub(crate) id: String,
    /// Where the id is written; the whole value where there is none.
    pub(crate) id_range: TextRange,
    /// The definition itself; absent for a bare list of containers.
    pub(crate) view: Option<View<'a>>,
    pub(crate) compatibilities: Compatibilities,
    pub(crate) network_mode: Setting,
    pub(crate) cpu: Setting,
    pub(crate) memory: Setting,
    pub(crate) os: Setting,
    pub(crate) architecture: Setting,
    pub(crate) ephemeral_storage: Setting,
    pub(crate) containers: Vec<Container<'a>>,
    /// Whether `containerDefinitions` is there.
    pub(crate) has_containers_key: bool,
    pub(crate) placement: Placement,
    /// Services that run it: index of document and of the service in it.
    pub(crate) services: Vec<(usize, usize)>,
    /// A region that the definition itself names, with its place.
    pub(crate) region: Option<(String, TextRange)>,
}

/// A container of a task definition.
pub(crate) struct Container<'a> {
    pub(crate) name: String,
    /// The definition; absent where something else stands in its place.
    pub(crate) view: Option<View<'a>>,
    /// The whole definition.
    pub(crate) range: TextRange,
    /// Where the name is written, the beginning of the definition otherwise.
    pub(crate) name_range: TextRange,
    /// Conditions under which it exists.
    pub(crate) when: Vec<Branch>,
    pub(crate) image: ImageField,
}

impl Container<'_> {
    /// Where to point for the container as such.
    pub(crate) fn place(&self) -> TextRange {
        match &self.image {
            ImageField::Cases(range, _) | ImageField::WrongType(range, _) => *range,
            ImageField::Missing | ImageField::Unresolved(_) => self.name_range,
        }
    }

    /// The cases of the image; none where it is missing or no text.
    pub(crate) fn cases(&self) -> &[ImageCase] {
        match &self.image {
            ImageField::Cases(_, cases) => cases,
            _ => &[],
        }
    }

    pub(crate) fn condition(&self) -> Option<String> {
        (!self.when.is_empty()).then(|| condition_text(&self.when))
    }
}

/// The image of a container.
pub(crate) enum ImageField {
    Missing,
    /// It is there and cannot be an image, such as a number or a list.
    WrongType(TextRange, &'static str),
    /// The whole container comes from elsewhere.
    Unresolved(Hole),
    Cases(TextRange, Vec<ImageCase>),
}

/// One image that a container may have.
pub(crate) struct ImageCase {
    pub(crate) case: Case,
    pub(crate) image: Image,
}

/// A scalar setting.
#[derive(Debug, Clone, Default)]
pub(crate) enum Setting {
    #[default]
    Absent,
    Set {
        cases: Vec<Case>,
        range: TextRange,
    },
}

impl Setting {
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(crate) fn range(&self) -> Option<TextRange> {
        match self {
            Self::Absent => None,
            Self::Set { range, .. } => Some(*range),
        }
    }

    /// The one case that counts: the only one, or the one that the parameters' defaults choose.
    pub(crate) fn case(&self) -> Option<&Case> {
        let Self::Set { cases, .. } = self else {
            return None;
        };
        let mut possible = cases.iter().filter(|case| !case.is_against_default());
        let first = possible.next()?;
        possible.next().is_none().then_some(first)
    }

    /// Its text, where one case counts and nothing in it is open.
    pub(crate) fn known(&self) -> Option<String> {
        self.case()?.value.known()
    }

    /// The hole that keeps the text from being known.
    pub(crate) fn hole(&self) -> Option<&Hole> {
        let Self::Set { cases, .. } = self else {
            return None;
        };
        cases.iter().find_map(|case| case.value.holes().next())
    }

    /// Its text as far as known, for messages.
    pub(crate) fn display(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Set { cases, .. } => {
                let texts: Vec<String> = cases.iter().map(|case| case.value.display()).collect();
                texts.join(" or ")
            }
        }
    }
}

/// `requiresCompatibilities`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compatibilities {
    /// Where the key is; `None` if it is absent or empty.
    pub(crate) range: Option<TextRange>,
    pub(crate) values: Vec<Case>,
}

impl Task<'_> {
    /// Whether it asks for a Windows operating system.
    pub(crate) fn is_windows(&self) -> bool {
        self.os.known().is_some_and(|os| os.starts_with("WINDOWS"))
    }

    /// `linux/amd64`, with a word on what was not asked for.
    pub(crate) fn platform_text(&self) -> String {
        let os = match self.os.is_absent() {
            true => "linux".to_owned(),
            false => self.os.display().to_ascii_lowercase(),
        };
        let architecture = match self.oci_architecture() {
            Some((architecture, _)) => architecture.to_owned(),
            None => self.architecture.display(),
        };
        let by_default = match self.os.is_absent() && self.architecture.is_absent() {
            true => " (by default)",
            false => "",
        };
        format!("{os}/{architecture}{by_default}")
    }

    /// The architecture in OCI words, and whether it is Fargate's default; `None` if it is open.
    pub(crate) fn oci_architecture(&self) -> Option<(&'static str, bool)> {
        if self.architecture.is_absent() {
            return Some(("amd64", true));
        }
        match self.architecture.known()?.as_str() {
            "X86_64" => Some(("amd64", false)),
            "ARM64" => Some(("arm64", false)),
            _ => None,
        }
    }
}

impl Container<'_> {
    /// The cases of the image whose registry is known: index, image, case.
    pub(crate) fn located(&self) -> impl Iterator<Item = (usize, &super::image::Located, &Case)> {
        let cases = self.cases().iter().enumerate();
        cases.filter_map(|(at, found)| match &found.image {
            Image::At(located) => Some((at, located.as_ref(), &found.case)),
            _ => None,
        })
    }

    /// The cases whose image is in a private ECR registry: index, registry, image, case.
    pub(crate) fn in_ecr(
        &self,
    ) -> impl Iterator<Item = (usize, &super::image::Ecr, &super::image::Located, &Case)> {
        self.located()
            .filter_map(|(at, located, case)| Some((at, located.ecr()?, located, case)))
    }

    /// Whether lazy loading is in reach: it may run on Fargate under Linux, with an image in ECR.
    pub(crate) fn is_eligible(&self, task: &Task<'_>) -> bool {
        task.placement.fargate != crate::report::Fargate::No
            && !task.is_windows()
            && self.in_ecr().next().is_some()
    }
}
