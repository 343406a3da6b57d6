export type {
  ArtifactSubject,
  EventOrigin,
  QuotaState,
  RegistryEvent,
  ScanOutcome,
  TaskOutcome,
} from './registry-event.ts';
