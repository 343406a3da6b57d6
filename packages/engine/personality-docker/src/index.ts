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
export type { AnswerHeaders, Exchange } from './exchange.ts';
export type { Personality, PersonalityConfiguration, PersonalityDeps } from './personality.ts';
