export { MemoryExecution } from './memory-execution.ts';
export { MemoryImages } from './memory-images.ts';
export type { RegistryImage } from './memory-images.ts';
export { startMemoryVch } from './memory-vch.ts';
export type { MemoryVch } from './memory-vch.ts';
