export type {
  Container,
  ContainerState,
  NetworkEndpoint,
  NewContainer,
  PortBinding,
  ProcessConfig,
  Shape,
  StartError,
  WaitCondition,
} from './container.ts';
export type { AttachedStreams, ExecSession, Execution, LogLine, LogOptions } from './execution.ts';
export type { PortLayerEvent } from './events.ts';
