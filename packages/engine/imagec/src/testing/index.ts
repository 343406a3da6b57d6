export { startRegistry } from './start-registry.ts';
export type { RegistryOptions, TestRegistry } from './start-registry.ts';
export { makeImage, pushImage } from './make-image.ts';
export type { ImageRecipe, PushOptions } from './make-image.ts';
