export { busybox } from './busybox.ts';
export { nginx, redis } from './debian.ts';
export { layered } from './layered.ts';
export { BUILD_TIMEOUT_MS, buildImage } from './oci-layout.ts';
export type { ImageRecipe } from './oci-layout.ts';
