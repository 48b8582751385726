//! SOCI index v1: beside the image, which stays as it is.

use soci_image::convert::{Conversion, ConvertedPlatform, PlatformIndex, create_v1};

use super::plan::PlannedImage;
use super::run::unchanged;
use crate::store::{AnyDestination, Destination, Published, Root, RootName};
use crate::{Result, block_on};

/// Stores a SOCI index v1 for each platform that has zTOCs. The conversion that comes back changes nothing and
/// names the SOCI indexes; behind it are their listings, for places that list what refers to an image.
pub(super) fn put_referrers(
    destination: &AnyDestination,
    planned: &PlannedImage,
    platforms: &[PlatformIndex],
    build_tool: &str,
) -> Result<(Conversion, Vec<Published>)> {
    let images = planned.image.images();
    let mut conversion = unchanged(planned);
    let mut listings = Vec::new();
    for platform in platforms {
        let Some(entry) = images.iter().find(|image| image.id == platform.choice.id) else {
            continue;
        };
        let referrer = match create_v1(entry, platform, build_tool) {
            Err(soci_image::Error::NothingToIndex) => continue,
            other => other?,
        };
        for blob in &referrer.blobs {
            if blob.role.is_manifest() {
                block_on(destination.put_manifest(&referrer.descriptor, &blob.bytes))?;
            } else {
                block_on(destination.put_blob(&blob.descriptor, &blob.bytes))?;
            }
        }
        conversion.platforms.push(ConvertedPlatform {
            choice: platform.choice.clone(),
            old_manifest: entry.descriptor.digest.clone(),
            manifest: entry.descriptor.clone(),
            soci_index: Some(referrer.descriptor.clone()),
        });
        listings.push(Published {
            root: Root {
                descriptor: referrer.descriptor.clone(),
                names: vec![RootName {
                    entry: Some(referrer.descriptor.clone()),
                    ..RootName::default()
                }],
            },
            descriptor: referrer.descriptor,
        });
    }
    if conversion.platforms.is_empty() {
        return Err(soci_image::Error::NothingToIndex.into());
    }
    Ok((conversion, listings))
}
