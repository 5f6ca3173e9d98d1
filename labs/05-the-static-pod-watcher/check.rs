//! What lab 05 asks of `static_pods::Manifests`: looks at a manifest directory, one after the other, and three properties.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use lab_check::Check;
use pod_model::{Pod, PodRef};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use static_pods::{Content, FileError, Listing, Manifests, Observation};

/// What the directory `/m` of node1 holds, look by look, file by file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    looks: Vec<BTreeMap<String, File>>,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum File {
    /// The manifest of this pod.
    Pod(Brief),
    /// These very bytes.
    Text(String),
    /// Nothing that could be read, for this reason.
    Unreadable(String),
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Brief {
    name: String,
    namespace: Option<String>,
    image: String,
    uid: Option<String>,
    /// A comment above it all.
    comment: Option<String>,
    /// A field that no pod has.
    unknown: Option<String>,
}

/// One look's answer.
#[derive(Debug, Serialize)]
struct Seen {
    /// `kept web-node1 web:1`: the very value of the look before; or `new …`.
    runs: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    new_problems: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resolved: Vec<PathBuf>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown_fields: Vec<String>,
}

fn main() -> ExitCode {
    let from_dir = "pkg/kubelet/config/file.go#extractFromDir";
    Check::new()
        .cases(|input: Input| Ok(looks(&input)))
        .property(
            "only-a-removed-or-a-new-manifest-ends-a-pod",
            "a file's pod is the one of its latest good version, for as long as the file is there",
            from_dir,
            prop::collection::vec(any_look(false), 1..5),
            |looks| latest_good(&looks),
        )
        .property(
            "every-name-runs-once",
            "of the files that want one name exactly one has it, and the pods stand in the order of their files",
            "pkg/kubelet/config/file.go#replaceStore",
            prop::collection::vec(any_look(true), 1..5),
            |looks| names_once(&looks),
        )
        .property(
            "what-is-wrong-is-told-and-taken-back",
            "whoever notes new problems and strikes out the resolved ones has the files that give no pod of their own, \
             and the same look again has no news",
            from_dir,
            prop::collection::vec(any_look(true), 1..5),
            |looks| books_balance(&looks),
        )
        .run()
}

fn looks(input: &Input) -> Vec<Seen> {
    let mut manifests = Manifests::new("node1");
    let mut before = Vec::new();
    let seen = input.looks.iter().map(|files| {
        let observation = manifests.observe(listing(files));
        let seen = Seen {
            runs: observation.pods.iter().map(|pod| run(pod, &before)).collect(),
            new_problems: observation.new_problems.iter().map(ToString::to_string).collect(),
            resolved: observation.resolved,
            unknown_fields: observation.unknown_fields.iter().map(unknown).collect(),
        };
        before = observation.pods;
        seen
    });
    seen.collect()
}

fn run(pod: &Arc<Pod>, before: &[Arc<Pod>]) -> String {
    let kept = before.iter().any(|known| Arc::ptr_eq(known, pod));
    format!("{} {}", if kept { "kept" } else { "new" }, in_short(pod))
}

fn in_short(pod: &Pod) -> String {
    let image = pod.spec.as_ref().and_then(|spec| spec.containers.first()?.image.clone());
    format!("{} {}", PodRef::of(pod).name, image.unwrap_or_default())
}

fn unknown((path, fields): &(PathBuf, Vec<String>)) -> String {
    format!("{}: {}", path.display(), fields.join(", "))
}

fn path(file: &str) -> PathBuf {
    Path::new("/m").join(file)
}

fn listing(files: &BTreeMap<String, File>) -> Listing {
    files.iter().map(|(file, holds)| (path(file), holds.content())).collect()
}

impl File {
    fn content(&self) -> Content {
        match self {
            Self::Pod(brief) => Ok(brief.manifest().into_bytes().into()),
            Self::Text(text) => Ok(text.clone().into_bytes().into()),
            Self::Unreadable(why) => Err(FileError::Unreadable(why.clone())),
        }
    }
}

impl Brief {
    fn manifest(&self) -> String {
        let Self { name, namespace, image, uid, comment, unknown } = self;
        let line = |before: &str, text: &Option<String>| {
            text.iter().map(|text| format!("{before}{text}\n")).collect::<String>()
        };
        format!(
            "{}apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n{}{}spec:\n{}  containers: [{{name: c, image: '{image}'}}]\n",
            line("# ", comment),
            line("  namespace: ", namespace),
            line("  uid: ", uid),
            line("  ", &unknown.as_ref().map(|field| format!("{field}: 1"))),
        )
    }
}

type Look = BTreeMap<String, File>;

/// Up to three files. `shared`: they want one another's names; otherwise each has its own.
fn any_look(shared: bool) -> impl Strategy<Value = Look> {
    let any_file = (0..3_usize, 0..4_u8, 0..3_u8).prop_map(move |(file, image, name)| {
        let owner = if shared { name.into() } else { file };
        let holds = match image {
            0 => File::Text("kind: Pod".to_owned()),
            image => File::Pod(Brief {
                name: ["web", "db", "log"][owner].to_owned(),
                image: format!("i:{image}"),
                ..Brief::default()
            }),
        };
        (["a.yaml", "b.yaml", "c.yaml"][file].to_owned(), holds)
    });
    prop::collection::vec(any_file, 0..4).prop_map(|files| files.into_iter().collect())
}

/// For each file the pod of its latest good version, as [`in_short`] has it.
#[derive(Default)]
struct LatestGood(BTreeMap<String, String>);

impl LatestGood {
    fn take(&mut self, look: &Look) {
        self.0.retain(|file, _| look.contains_key(file));
        for (file, holds) in look {
            if let File::Pod(Brief { name, image, .. }) = holds {
                self.0.insert(file.clone(), format!("{name}-node1 {image}"));
            }
        }
    }
}

fn latest_good(looks: &[Look]) -> Result<(), String> {
    let (mut manifests, mut wanted) = (Manifests::new("node1"), LatestGood::default());
    for (number, look) in looks.iter().enumerate() {
        let runs: Vec<String> =
            manifests.observe(listing(look)).pods.iter().map(|pod| in_short(pod)).collect();
        wanted.take(look);
        let wanted: Vec<&String> = wanted.0.values().collect();
        if runs.iter().collect::<Vec<_>>() != wanted {
            return Err(format!("at look {number} should run {wanted:?}, and do {runs:?}"));
        }
    }
    Ok(())
}

fn names_once(looks: &[Look]) -> Result<(), String> {
    let (mut manifests, mut wanted) = (Manifests::new("node1"), LatestGood::default());
    for (number, look) in looks.iter().enumerate() {
        let runs: Vec<String> =
            manifests.observe(listing(look)).pods.iter().map(|pod| in_short(pod)).collect();
        wanted.take(look);
        // Each run belongs to a file, and the files come in order.
        let mut files = wanted.0.values();
        if let Some(stray) = runs.iter().find(|run| !files.any(|good| good == *run)) {
            return Err(format!("at look {number} {stray:?} is not the next file's pod: {runs:?}"));
        }
        let name = |run: &String| run.split(' ').next().unwrap_or_default().to_owned();
        let names: BTreeSet<String> = runs.iter().map(name).collect();
        if names.len() != runs.len() {
            return Err(format!("at look {number} a name runs twice: {runs:?}"));
        }
        let named: BTreeSet<String> = wanted.0.values().map(name).collect();
        if names != named {
            return Err(format!("at look {number} the files name {named:?}, and {names:?} run"));
        }
    }
    Ok(())
}

fn books_balance(looks: &[Look]) -> Result<(), String> {
    let mut manifests = Manifests::new("node1");
    let mut open = BTreeSet::new();
    for (number, look) in looks.iter().enumerate() {
        let observation = manifests.observe(listing(look));
        for path in &observation.resolved {
            if !open.remove(path) {
                return Err(format!(
                    "at look {number} {} is resolved, and nothing was wrong",
                    path.display()
                ));
            }
        }
        open.extend(observation.new_problems.iter().map(|problem| problem.path.clone()));
        let wrong = without_a_pod_of_its_own(look, &observation);
        if open != wrong {
            return Err(format!("at look {number} noted as wrong are {open:?}, and wrong are {wrong:?}"));
        }
        no_news(&observation, &manifests.observe(listing(look)), number)?;
    }
    Ok(())
}

/// The files that are broken now, and those whose pod is another file's: two pods of one manifest have two UIDs.
fn without_a_pod_of_its_own(look: &Look, observation: &Observation) -> BTreeSet<PathBuf> {
    let uids = |pods: &[Arc<Pod>]| pods.iter().map(|pod| PodRef::of(pod).uid).collect::<BTreeSet<_>>();
    let running = uids(&observation.pods);
    let wrong = look.iter().filter(|(file, holds)| {
        let alone = Manifests::new("node1").observe([(path(file), holds.content())].into()).pods;
        alone.is_empty() || !uids(&alone).is_subset(&running)
    });
    wrong.map(|(file, _)| path(file)).collect()
}

fn no_news(first: &Observation, again: &Observation, number: usize) -> Result<(), String> {
    if !again.new_problems.is_empty() || !again.resolved.is_empty() || !again.unknown_fields.is_empty() {
        return Err(format!("look {number}, repeated, has news: {again:?}"));
    }
    let same = |(now, before): (&Arc<Pod>, &Arc<Pod>)| Arc::ptr_eq(now, before);
    let kept = first.pods.len() == again.pods.len() && again.pods.iter().zip(&first.pods).all(same);
    if kept { Ok(()) } else { Err(format!("look {number}, repeated, gives other pods than before")) }
}
