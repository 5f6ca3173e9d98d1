//! What `--help` teaches: each column, and what the kubelet does with it. Broken by hand for 80 columns, since tables
//! do not survive being wrapped.

/// Of the program.
pub const PROGRAM: &str = "\
What a container runtime knows of its pods, containers and images.

This asks the same questions over the same interface (CRI v1) as a kubelet,
and changes nothing. Its commands, flags and columns are those of crictl, which
has many more: `exec`, `pull`, `runp`, `stop`, `rm` and others are left out,
because a running agent would undo every such change.

Other differences from crictl:
  - one ID for each command, never several; its beginning is enough;
  - tables and JSON only, no YAML and no templates; `version` is always text,
    `info` always JSON, and `events` prints lines unless told -o json;
  - no configuration file, and no search for other runtimes' sockets: -r or
    the variable CONTAINER_RUNTIME_ENDPOINT says where;
  - columns are as wide as their content.";

/// Where to begin.
pub const BEGIN: &str = "\
Begin with:
  crictl pods         the sandboxes: one for each pod, and the stopped ones
  crictl ps -a        the containers in them, exited ones too
  crictl logs ID      what a container wrote
  crictl inspect ID   all that the kubelet reads of a container
`crictl COMMAND --help` says what the columns mean.

The embedded runtime of Podwright listens below the agent's root directory:
  -r unix:///ROOT/embedded-runtime.sock";

/// Of `version`.
pub const VERSION: &str = "\
What the runtime says of itself:

  Version             0.1.0; a kubelet does not start with a runtime that says
                      anything else
  RuntimeName         containerd, cri-o, …; container ids in a pod's status
                      begin with it
  RuntimeVersion      with the name, the node's containerRuntimeVersion
  RuntimeApiVersion   v1";

/// Of `info`.
pub const INFO: &str = "\
What the kubelet asks every five seconds:

  status.conditions   RuntimeReady and NetworkReady. Without the first the
                      kubelet syncs no pod; without the second it starts only
                      pods in the host's network. The node is not Ready without
                      both
  runtimeHandlers     what a RuntimeClass may name, with the features of each;
                      containerd tells since 2.0
  features            what the runtime can do whatever the handler is

Anything else is the runtime's own: containerd adds its configuration and the
state of CNI.";

/// Of `pods`.
pub const PODS: &str = "\
A sandbox is what the containers of a pod share: the network, the cgroup above
theirs, the log directory.

  POD ID      the runtime's name for the sandbox. The kubelet writes it down
              nowhere: after a restart it finds its sandboxes by their labels
  CREATED     newest first: the kubelet takes the newest sandbox of a pod for
              its present one
  STATE       Ready while the sandbox runs. A pod whose newest sandbox is
              NotReady gets a new one, with new containers in it
  NAME, NAMESPACE
              of the pod. A static pod's name ends with the name of its node
  ATTEMPT     counts the pod's sandboxes from 0. The runtime reserves a name
              with this number in it, so that a new sandbox can be made while
              the old one is still there
  RUNTIME     the handler that the pod's RuntimeClass names";

/// Of `ps`.
pub const PS: &str = "\
A container is never started twice: a restart is a new container in the same
sandbox.

  CONTAINER   the runtime's name for it; in a pod's status, RUNTIME://ID
  IMAGE       what it was made from. The kubelet resolves the image's name
              first and then asks for the image by its id, so that a tag moved
              in between changes nothing: hence an id where you expect a name
  CREATED     newest first: of all containers of one name in a pod, the state
              of the newest counts
  STATE       Created, Running, Exited, or Unknown when the runtime lost track.
              Whether and when an exited one is followed by a new one is up to
              restartPolicy and the crash-loop back-off. Without -a, only
              Running ones are shown
  NAME        the container's name in the pod
  ATTEMPT     the restart count; also the name of the log file (ATTEMPT.log)
  POD ID      the sandbox that it is in
  POD, NAMESPACE
              from the labels that the kubelet gave it; unknown for a container
              that no kubelet made";

/// Of `images`.
pub const IMAGES: &str = "\
Images stay for the next pod that needs them, until disk space gets short:

  IMAGE, TAG  a name under which it is known; one row for each
  IMAGE ID    the digest of its configuration: what containers refer to, and
              so what garbage collection knows the images in use by
  SIZE        what the runtime says that it takes on disk; garbage collection
              adds these up until enough is freed. 1 kB is 1000 bytes";

/// Of `inspect`.
pub const INSPECT: &str = "\
What the kubelet reads to write a pod's containerStatuses:

  state, exitCode, reason, startedAt, finishedAt
                      the state in the pod's status; a time in the year 1 means
                      that it has not happened
  labels              which pod this is of, and which of its containers
  annotations         what the kubelet must still know after its own restart:
                      the hash of the container's spec (another one means that
                      the container must be made anew), the restart count, how
                      to end it
  imageRef, imageId   the image in the pod's status
  logPath             where `logs` reads
  mounts, resources   what it got of the node

Left out: user, stopSignal, id mappings and images as mounts, huge pages and
unified cgroup settings. What the runtime adds of its own stands beside
`status` (containerd: `info`, with the pid and the whole OCI spec).";

/// Of `inspectp`.
pub const INSPECTP: &str = "\
What the kubelet reads of a sandbox:

  state, metadata     see `crictl pods --help`
  network             the addresses in the pod's status; empty in the host's
                      network
  linux.namespaces    what is the pod's own (POD) and what the host's (NODE);
                      when the pod now wants the other kind of network, it gets
                      a new sandbox
  labels              the pod's, and its name, namespace and UID
  annotations         the pod's, with where it came from

Left out: user namespace mappings. What the runtime adds of its own stands
beside `status`.";

/// Of `logs`.
pub const LOGS: &str = "\
The runtime writes a container's output to a file that the kubelet chose,
/var/log/pods/NAMESPACE_NAME_UID/CONTAINER/ATTEMPT.log, and for `kubectl logs`
the kubelet reads that file. So does this: it must run on the same machine.
A record of the file is

  2016-10-06T00:17:09.669794202Z stdout F the text
  time                           stream tag

Tag F means that the line ends here; P, that it was too long for one record
(containerd cuts at 16 KiB) and goes on in the next. Such pieces are put
together again. What went to stderr goes to stderr.

Rotated files (ATTEMPT.log.TIME) are left out, as in crictl. For the container
before a restart, take its ID from `crictl ps -a`.";

/// Of `events`.
pub const EVENTS: &str = "\
Prints each change from now on, until Ctrl-C: CREATED, STARTED, STOPPED and
DELETED, of containers and of sandboxes. An agent that gets these need not list
all containers every second to notice a change; it lists them all the same from
time to time, because an event can be lost.

DO NOT USE THIS BESIDE A RUNNING AGENT ON CONTAINERD 1.7. That version gives
each event to one of its subscribers only: what you see here is missing there,
and its pods react late. containerd 2 and the embedded runtime give every event
to all; containerd 1.6 has none.

With -o json each line is one object. It holds the whole state of the pod at
that moment, with times as in `inspect`.";

#[cfg(test)]
mod tests {
    use super::super::tables::{CONTAINER_COLUMNS, IMAGE_COLUMNS, POD_COLUMNS};
    use super::*;

    #[test]
    fn every_column_is_explained() {
        for (help, columns) in
            [(PODS, &POD_COLUMNS[..]), (PS, &CONTAINER_COLUMNS[..]), (IMAGES, &IMAGE_COLUMNS[..])]
        {
            let heads: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  ")).collect();
            for column in columns {
                assert!(heads.iter().any(|head| head.contains(column)), "{column}\n{help}");
            }
        }
    }

    #[test]
    fn the_help_fits_a_terminal_of_80_columns() {
        for help in [PROGRAM, BEGIN, VERSION, INFO, PODS, PS, IMAGES, INSPECT, INSPECTP, LOGS, EVENTS] {
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }
}
