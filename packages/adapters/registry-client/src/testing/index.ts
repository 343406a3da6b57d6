export { startRegistry } from './start-registry.ts';
export type { RegistryOptions, TestRegistry } from './start-registry.ts';
