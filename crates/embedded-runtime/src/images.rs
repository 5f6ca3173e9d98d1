//! Images: names that somebody asked for. There are no contents, so nothing is fetched and nothing takes up space.

use std::path::Path;

use cri_client::v1;
use nix::sys::statvfs::statvfs;

use crate::refusal::Refusal;
use crate::runtime::{EmbeddedRuntime, Inventory};
use crate::state_dir::at;

/// Images with this beginning do not exist, so that a failing pull can be watched.
const MISSING: &str = "missing.invalid/";

impl EmbeddedRuntime {
    pub(crate) async fn pull(&self, request: v1::PullImageRequest) -> Result<v1::PullImageResponse, Refusal> {
        let name = request.image.unwrap_or_default().image;
        let (_, image_ref) = self.known_image(&mut self.inventory(), &name)?;
        Ok(v1::PullImageResponse { image_ref })
    }

    /// Name and id of an image, which is known from now on. An id must be known already: no name can be made of it.
    pub(crate) fn known_image(
        &self,
        inventory: &mut Inventory,
        image: &str,
    ) -> Result<(String, String), Refusal> {
        if let Some(name) = find(inventory, image) {
            return Ok((name.to_owned(), id_of(name)));
        }
        if image.is_empty() || image.starts_with(MISSING) || image.starts_with("sha256:") {
            return Err(Refusal::NoSuchImage(image.to_owned()));
        }
        let mut images = inventory.images.clone();
        images.insert(image.to_owned());
        self.state_dir.save_images(&images)?;
        inventory.images = images;
        Ok((image.to_owned(), id_of(image)))
    }

    /// An absent image is an empty answer, not an error.
    pub(crate) async fn one_image(
        &self,
        request: v1::ImageStatusRequest,
    ) -> Result<v1::ImageStatusResponse, Refusal> {
        let (inventory, wanted) = (self.inventory(), request.image.unwrap_or_default().image);
        let image = find(&inventory, &wanted).map(describe);
        Ok(v1::ImageStatusResponse { image, info: Default::default() })
    }

    pub(crate) async fn all_images(
        &self,
        request: v1::ListImagesRequest,
    ) -> Result<v1::ListImagesResponse, Refusal> {
        let inventory = self.inventory();
        let wanted = request.filter.and_then(|f| f.image).map(|i| i.image).filter(|i| !i.is_empty());
        let images = match wanted {
            Some(image) => find(&inventory, &image).into_iter().map(describe).collect(),
            None => inventory.images.iter().map(|name| describe(name)).collect(),
        };
        Ok(v1::ListImagesResponse { images })
    }

    pub(crate) async fn forget_image(
        &self,
        request: v1::RemoveImageRequest,
    ) -> Result<v1::RemoveImageResponse, Refusal> {
        let mut inventory = self.inventory();
        let wanted = request.image.unwrap_or_default().image;
        if let Some(name) = find(&inventory, &wanted).map(str::to_owned) {
            let mut images = inventory.images.clone();
            images.remove(&name);
            self.state_dir.save_images(&images)?;
            inventory.images = images;
        }
        Ok(v1::RemoveImageResponse {})
    }

    /// What the file system below the state directory holds; images and containers share it.
    pub(crate) async fn file_system(
        &self,
        _: v1::ImageFsInfoRequest,
    ) -> Result<v1::ImageFsInfoResponse, Refusal> {
        let usage = usage(self.state_dir.root(), self.options.clock.now_nanos())?;
        Ok(v1::ImageFsInfoResponse {
            image_filesystems: vec![usage.clone()],
            container_filesystems: vec![usage],
        })
    }
}

fn usage(path: &Path, timestamp: i64) -> Result<v1::FilesystemUsage, Refusal> {
    let stat = statvfs(path).map_err(|errno| at(path)(errno.into()))?;
    let used_blocks = stat.blocks().saturating_sub(stat.blocks_free());
    Ok(v1::FilesystemUsage {
        timestamp,
        fs_id: Some(v1::FilesystemIdentifier { mountpoint: path.display().to_string() }),
        used_bytes: Some(v1::UInt64Value { value: used_blocks * stat.fragment_size() }),
        inodes_used: Some(v1::UInt64Value { value: stat.files().saturating_sub(stat.files_free()) }),
    })
}

/// The name of an image that is known, by its name or id.
fn find<'a>(inventory: &'a Inventory, image: &str) -> Option<&'a str> {
    let is_it = |name: &&String| {
        let id = id_of(name);
        *name == image || id == image || id.strip_prefix("sha256:") == Some(image)
    };
    inventory.images.iter().find(is_it).map(String::as_str)
}

fn describe(name: &str) -> v1::Image {
    let (tags, digests) = if name.contains('@') { (None, Some(name)) } else { (Some(name), None) };
    v1::Image {
        id: id_of(name),
        repo_tags: tags.into_iter().map(str::to_owned).collect(),
        repo_digests: digests.into_iter().map(str::to_owned).collect(),
        // The interface wants more than 0.
        size: 1,
        // Its commands run as the runtime's own user, which is what a kubelet asks before it allows runAsNonRoot.
        uid: Some(v1::Int64Value { value: nix::unistd::getuid().as_raw().into() }),
        username: String::new(),
        spec: Some(v1::ImageSpec { image: name.to_owned(), ..Default::default() }),
        pinned: false,
    }
}

/// A stable id that looks like the real one. It is made from the name and says nothing about contents: four FNV-1a
/// hashes, each of the name behind another digit.
fn id_of(name: &str) -> String {
    let fnv = |text: String| {
        text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    };
    let digits: String = (0..4).map(|part| format!("{:016x}", fnv(format!("{part}{name}")))).collect();
    format!("sha256:{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_stable_and_of_the_real_form() {
        let id = id_of("busybox:1.36");
        assert_eq!(id, id_of("busybox:1.36"));
        assert_ne!(id, id_of("busybox:1.37"));
        let digits = id.strip_prefix("sha256:").expect("the prefix");
        assert!(digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    }
}
