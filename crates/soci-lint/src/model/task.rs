//! Task definitions and their containers.

use super::image::Image;
use super::placement::Placement;
use crate::documents::Role;
use crate::expression::value::{Branch, ResourceId, condition_text};
use crate::expression::{Case, Hole, Setting, Symbolic};
use crate::source::Place;
use crate::terms::{Consumer, Fargate};

/// A task definition.
pub(crate) struct Task {
    /// Family, logical id, or a stand-in.
    pub(crate) id: String,
    /// Where the id is written; the beginning of the whole where there is none.
    pub(crate) id_place: Place,
    pub(crate) role: Role,
    /// The resource that makes it.
    pub(crate) resource: Option<ResourceId>,
    pub(crate) family: Option<String>,
    /// Whether it is a definition, rather than a bare list of containers.
    pub(crate) is_whole: bool,
    /// Conditions under which it exists.
    pub(crate) when: Vec<Branch>,
    pub(crate) compatibilities: Compatibilities,
    pub(crate) network_mode: Setting,
    pub(crate) cpu: Setting,
    pub(crate) memory: Setting,
    pub(crate) os: Setting,
    pub(crate) architecture: Setting,
    pub(crate) ephemeral_storage: Setting,
    /// Where the definition itself says it: of a Batch job.
    pub(crate) platform_version: Setting,
    pub(crate) containers: Vec<Container>,
    /// Whether `containerDefinitions` is there.
    pub(crate) has_containers_key: bool,
    /// Where it says that changes of the containers are made elsewhere.
    pub(crate) pipeline_decides: Option<Place>,
    pub(crate) placement: Placement,
    /// What runs the images.
    pub(crate) consumer: Consumer,
    /// Services that run it: index of document and of the service in it.
    pub(crate) services: Vec<(usize, usize)>,
    /// A region that the definition itself names, with its place.
    pub(crate) region: Option<(String, Place)>,
}

/// A container of a task definition.
pub(crate) struct Container {
    pub(crate) name: String,
    /// Whether there is a definition, rather than something else in its place.
    pub(crate) is_known: bool,
    /// The whole definition.
    pub(crate) place: Place,
    /// Where the name is written, the beginning of the definition otherwise.
    pub(crate) name_place: Place,
    /// Conditions under which it exists.
    pub(crate) when: Vec<Branch>,
    pub(crate) image: ImageField,
    /// The key `repositoryCredentials`.
    pub(crate) credentials: Option<Place>,
    pub(crate) health_check: Option<HealthCheck>,
    pub(crate) start_timeout: Setting,
    pub(crate) depends_on: Vec<Dependency>,
    /// The region that its logs go to.
    pub(crate) log_region: Option<(String, Place)>,
}

/// `healthCheck`.
pub(crate) struct HealthCheck {
    pub(crate) key_place: Place,
    pub(crate) has_command: bool,
    pub(crate) start_period: Setting,
}

/// An entry of `dependsOn`.
pub(crate) struct Dependency {
    pub(crate) container: String,
    pub(crate) condition: String,
    pub(crate) place: Place,
}

impl Container {
    /// Where to point for the container as such.
    pub(crate) fn place(&self) -> Place {
        match &self.image {
            ImageField::Cases(place, _) | ImageField::WrongType(place, _) => *place,
            ImageField::Missing | ImageField::Unresolved(_) => self.name_place,
        }
    }

    /// The cases of the image; none where it is missing or no text.
    pub(crate) fn cases(&self) -> &[ImageCase] {
        match &self.image {
            ImageField::Cases(_, cases) => cases,
            _ => &[],
        }
    }

    /// Whether it is the same container, met on another way.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let values = |container: &Self| -> Vec<Symbolic> {
            container
                .cases()
                .iter()
                .map(|case| case.case.value.clone())
                .collect()
        };
        !self.when.is_empty()
            && self.is_known
            && self.name == other.name
            && self.name_place == other.name_place
            && values(self) == values(other)
    }

    pub(crate) fn condition(&self) -> Option<String> {
        (!self.when.is_empty()).then(|| condition_text(&self.when))
    }
}

/// The image of a container.
pub(crate) enum ImageField {
    Missing,
    /// It is there and cannot be an image, such as a number or a list.
    WrongType(Place, &'static str),
    /// The whole container comes from elsewhere.
    Unresolved(Hole),
    Cases(Place, Vec<ImageCase>),
}

/// One image that a container may have.
pub(crate) struct ImageCase {
    pub(crate) case: Case,
    pub(crate) image: Image,
}

/// `requiresCompatibilities`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compatibilities {
    /// Where the key is; `None` if it is absent or empty.
    pub(crate) place: Option<Place>,
    pub(crate) values: Vec<Case>,
}

impl Task {
    /// A task that says nothing.
    pub(super) fn empty(place: Place) -> Self {
        Self {
            id: String::new(),
            id_place: place,
            role: Role::Task,
            resource: None,
            family: None,
            is_whole: true,
            when: Vec::new(),
            compatibilities: Compatibilities::default(),
            network_mode: Setting::default(),
            cpu: Setting::default(),
            memory: Setting::default(),
            os: Setting::default(),
            architecture: Setting::default(),
            ephemeral_storage: Setting::default(),
            platform_version: Setting::default(),
            containers: Vec::new(),
            has_containers_key: false,
            pipeline_decides: None,
            placement: Placement::open(place),
            consumer: Consumer::default(),
            services: Vec::new(),
            region: None,
        }
    }

    /// Whether the consumer may run it: ECS says where a task runs, other consumers take the images from it.
    pub(crate) fn may_run_at_consumer(&self) -> bool {
        self.consumer != Consumer::Fargate || self.placement.fargate != Fargate::No
    }

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

    /// The architecture in OCI words, and whether it is Fargate's default; `None` if it is open, as for consumers that
    /// have no default.
    pub(crate) fn oci_architecture(&self) -> Option<(&'static str, bool)> {
        if self.architecture.is_absent() {
            return (self.consumer == Consumer::Fargate).then_some(("amd64", true));
        }
        match self.architecture.known()?.as_str() {
            "X86_64" => Some(("amd64", false)),
            "ARM64" => Some(("arm64", false)),
            _ => None,
        }
    }
}

impl Container {
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

    /// The cases whose image the consumer may load lazily: index, image, case. The task may run where it does
    /// that, under Linux, and the image is in a registry that it takes.
    pub(crate) fn in_reach(
        &self,
        task: &Task,
    ) -> impl Iterator<Item = (usize, &super::image::Located, &Case)> {
        let runs = task.may_run_at_consumer() && !task.is_windows();
        let wants_ecr = task.consumer.wants_ecr();
        self.located()
            .filter(move |(_, located, _)| runs && (!wants_ecr || located.ecr().is_some()))
    }

    /// Whether lazy loading is in reach for any case of the image.
    pub(crate) fn is_eligible(&self, task: &Task) -> bool {
        self.in_reach(task).next().is_some()
    }
}
