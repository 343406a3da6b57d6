export { startRegistry } from '@vic/registry-client/testing';
export type { RegistryOptions, TestRegistry } from '@vic/registry-client/testing';
export { makeImage, pushImage } from './make-image.ts';
export type { ImageRecipe, PushOptions } from './make-image.ts';
