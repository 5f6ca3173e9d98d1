//! A containerd of a test's own: own directory, own network namespace, own cgroups, gone without a trace at the end.
//!
//! ```text
//!   /run/pw-ID/            containerd.sock, config.toml, root, state, cni, images, containerd.log
//!   netns pw-ID            containerd runs in it, and so must everything that talks to its streaming server
//!   └ bridge pw-ID         made by the CNI plugin, with a subnet of its own
//!   cgroup /pw-ID          what an agent's --cgroup-root should be
//! ```
//!
//! The socket is a file, so a client can use it from any network namespace. Several instances live side by side. A
//! dropped instance takes everything down, also after a panic; what a killed test program left behind is taken down
//! by the next one that starts an instance.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use cri_client::{GrpcRuntime, ImageService as _, RuntimeService as _, v1};
use nix::sys::signal::Signal;

use crate::oci_image::{Image, busybox_image, pause_image};
use crate::process::ProcessId;
use crate::{command, wait};

mod config;
mod programs;
mod remains;

pub use programs::Programs;

/// How long containerd may take to answer after its start. It takes about 0.1 s on a quiet machine.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How long it may take to end on SIGTERM.
const STOPPED_WITHIN: Duration = Duration::from_secs(20);

/// The names of everything that one instance has on the machine, all made from one id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// `pw-1a2b3c`: at most 15 bytes, since it is also the name of a network interface.
    pub(crate) id: String,
    /// The directory of the instance.
    pub(crate) dir: PathBuf,
}

impl Names {
    fn new(number: u64) -> Self {
        let id = format!("pw-{number:06x}");
        Self { dir: Path::new("/run").join(&id), id }
    }

    fn socket(&self) -> PathBuf {
        self.dir.join("containerd.sock")
    }

    fn log(&self) -> PathBuf {
        self.dir.join("containerd.log")
    }

    fn netns(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.id)
    }

    /// The path of its cgroup in every hierarchy.
    fn cgroup(&self) -> String {
        format!("/{}", self.id)
    }
}

/// A running (or stopped) containerd that nobody else uses.
#[derive(Debug)]
pub struct PrivateContainerd {
    names: Names,
    programs: Programs,
    daemon: Option<Child>,
}

impl PrivateContainerd {
    /// Makes the directory, the network namespace and the configuration, starts containerd and imports the pause and
    /// busybox images. Needs root.
    ///
    /// Which containerd: the one in `PATH`, or the one that the environment's `PODWRIGHT_CONTAINERD` names.
    ///
    /// # Errors
    /// A missing program (with what to install), missing rights, or a containerd that does not become ready; the message
    /// then has the end of its log.
    pub async fn launch() -> Result<Self> {
        if !nix::unistd::geteuid().is_root() {
            bail!("a private containerd needs root: it makes a network namespace, cgroups and mounts");
        }
        let programs = Programs::find()?;
        remains::clear_orphaned();
        let mut instance = Self { names: claim_names()?, programs, daemon: None };
        instance.prepare().await.context("preparing a private containerd")?;
        instance.start().await?;
        for image in [pause_image()?, busybox_image()?] {
            instance.import(&image).await?;
        }
        Ok(instance)
    }

    async fn prepare(&self) -> Result<()> {
        let Names { id, dir, .. } = &self.names;
        for sub in ["cni/bin", "cni/net.d", "images"] {
            fs::create_dir_all(dir.join(sub)).with_context(|| format!("{}/{sub}", dir.display()))?;
        }
        fs::write(dir.join("config.toml"), config::containerd(&self.names, &self.programs))?;
        fs::write(dir.join("cni/net.d/10-podwright.conflist"), config::network(&self.names))?;
        for plugin in fs::read_dir(&self.programs.cni).context("the CNI plugins")? {
            let plugin = plugin?;
            std::os::unix::fs::symlink(plugin.path(), dir.join("cni/bin").join(plugin.file_name()))?;
        }
        command::run(command::of("ip", ["netns", "add", id])).await?;
        let mut up = self.command_in_netns("ip");
        up.args(["link", "set", "lo", "up"]);
        command::run(up).await?;
        Ok(())
    }

    /// Starts containerd (again) and waits until it answers.
    ///
    /// # Errors
    /// It runs already, ends at once, or does not answer; with the end of its log.
    pub async fn start(&mut self) -> Result<()> {
        if let Some(daemon) = &self.daemon {
            bail!("containerd of {} runs already, as process {}", self.names.id, daemon.id());
        }
        let log = File::options().create(true).append(true).open(self.names.log())?;
        let mut start = self.command_in_netns(&self.programs.containerd);
        start.arg("-c").arg(self.names.dir.join("config.toml"));
        start.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // Ctrl-C in a terminal goes to the whole process group; containerd must outlive it to be taken down in order.
        start.process_group(0);
        self.daemon = Some(start.spawn().context("starting containerd")?);

        let client = self.client();
        let ready = wait::until(format!("containerd of {}", self.names.id), READY_WITHIN, async || {
            if let Some(status) = self.daemon.as_mut().and_then(|d| d.try_wait().ok().flatten()) {
                return Ok(Some(status));
            }
            let status = client.status(v1::StatusRequest::default()).await.map_err(|e| e.to_string())?;
            let conditions = status.status.unwrap_or_default().conditions;
            match conditions.iter().find(|c| !c.status) {
                None if !conditions.is_empty() => Ok(None),
                unready => {
                    Err(unready.map_or("no conditions".into(), |c| format!("{}: {}", c.r#type, c.message)))
                }
            }
        });
        match ready.await {
            Ok(None) => Ok(()),
            Ok(Some(status)) => bail!("containerd ended by itself ({status})\n{}", self.log_tail()),
            Err(timed_out) => bail!("{timed_out}\n{}", self.log_tail()),
        }
    }

    /// Ends containerd with SIGTERM, as a service manager does. Pods stay.
    ///
    /// # Errors
    /// It does not run, or does not end.
    pub async fn stop(&mut self) -> Result<()> {
        self.end(Signal::SIGTERM).await
    }

    /// Kills containerd with SIGKILL. Pods stay.
    ///
    /// # Errors
    /// It does not run.
    pub async fn kill9(&mut self) -> Result<()> {
        self.end(Signal::SIGKILL).await
    }

    async fn end(&mut self, signal: Signal) -> Result<()> {
        let Some(mut daemon) = self.daemon.take() else {
            bail!("containerd of {} does not run", self.names.id);
        };
        let ended = command::end(&mut daemon, signal, STOPPED_WITHIN).await;
        if ended.is_err() {
            self.daemon = Some(daemon);
        }
        ended.with_context(|| format!("containerd of {}", self.names.id))
    }

    /// Brings an image into the runtime, and waits until the CRI shows it.
    ///
    /// # Errors
    /// What `ctr` says.
    pub async fn import(&self, image: &Image) -> Result<()> {
        let file = tempfile::NamedTempFile::new_in(self.names.dir.join("images"))?;
        fs::write(file.path(), &image.tar)?;
        let mut import = Command::new(&self.programs.ctr);
        import.arg("-a").arg(self.names.socket()).args(["-n", "k8s.io", "images", "import"]).arg(file.path());
        command::run(import).await?;
        let client = self.client();
        let spec = v1::ImageSpec { image: image.name.clone(), ..Default::default() };
        // containerd's CRI plugin learns of the import by an event of its own.
        wait::until(format!("image {} in the CRI", image.name), READY_WITHIN, async || {
            let request = v1::ImageStatusRequest { image: Some(spec.clone()), verbose: false };
            let found = client.image_status(request).await.map_err(|e| e.to_string())?.image;
            found.map(|_| ()).ok_or_else(|| "no such image".to_owned())
        })
        .await?;
        Ok(())
    }

    /// The socket as an endpoint: `unix:///run/pw-…/containerd.sock`.
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.names.socket().display())
    }

    /// A client with the kubelet's deadlines; it finds the runtime again after a restart.
    pub fn client(&self) -> GrpcRuntime {
        GrpcRuntime::new(&self.endpoint(), cri_client::DEFAULT_REQUEST_TIMEOUT)
            .expect("the endpoint is an absolute path, by construction")
    }

    /// A command that will run in the instance's network namespace. The process that is spawned *is* the program: its
    /// pid is the program's.
    pub fn command_in_netns(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        command::in_netns(Some(&self.names.netns()), program.as_ref())
    }

    /// The network namespace, as a file.
    pub fn netns(&self) -> PathBuf {
        self.names.netns()
    }

    /// The directory of the instance. It is short enough for sockets, and it goes with the instance.
    pub fn dir(&self) -> &Path {
        &self.names.dir
    }

    /// The cgroup below which pods must be made, so that clean-up finds them: an agent's `--cgroup-root`.
    pub fn cgroup_root(&self) -> String {
        self.names.cgroup()
    }

    /// containerd's version, such as `1.7.24`.
    pub fn version(&self) -> &str {
        &self.programs.version
    }

    /// The process, while it runs.
    pub fn process(&self) -> Option<ProcessId> {
        ProcessId::of(i32::try_from(self.daemon.as_ref()?.id()).ok()?)
    }

    /// The end of containerd's log, for messages.
    pub fn log_tail(&self) -> String {
        crate::log_tail(&self.names.log())
    }
}

impl Drop for PrivateContainerd {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            // SIGKILL, so that it starts nothing more; its shims and pods are ended below.
            let _ended = daemon.kill();
            let _reaped = daemon.wait();
        }
        for left in remains::clear(&self.names) {
            // Not a panic: this may run while a failed test unwinds.
            eprintln!("clean-up of {}: {left}", self.names.id);
        }
    }
}

/// Picks names that nobody has, and marks them as taken by this process.
fn claim_names() -> Result<Names> {
    let random = clock::Random::from_machine();
    for _ in 0..100 {
        let names = Names::new(random.below(1 << 24));
        match fs::create_dir(&names.dir) {
            Ok(()) => {
                remains::write_owner(&names)?;
                return Ok(names);
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e).with_context(|| names.dir.display().to_string()),
        }
    }
    bail!("no free name for a private containerd under /run")
}
