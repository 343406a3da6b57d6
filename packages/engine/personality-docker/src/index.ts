export type {
  Image,
  ImageBackend,
  ImageHistoryEntry,
  ImageRemoval,
  ImageRuntimeConfig,
  NetworkBackend,
  NetworkDescription,
  PullProgress,
  PullResult,
  RegistryLogin,
  SystemBackend,
  SystemDescription,
} from './backends.ts';
export type { AnswerHeaders, Exchange } from './http/exchange.ts';
export { createPersonalityServer } from './http/personality-server.ts';
export { createPersonality } from './personality.ts';
export type { Personality, PersonalityConfiguration, PersonalityDeps } from './personality.ts';
