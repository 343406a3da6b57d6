export { startRegistry } from './start-registry.ts';
export type { RegistryOptions, TestRegistry } from './start-registry.ts';
export { MemoryRegistry } from './memory-registry.ts';
export type { MeddledAnswer, MeddledRequest, Meddling } from './memory-registry.ts';
