export { dockerBool } from './docker-bool.ts';
export { Filters, parseFilters } from './filters.ts';
export {
  API_VERSION,
  MIN_API_VERSION,
  atLeast,
  compareVersions,
  refuseVersion,
  requireVersion,
  splitVersion,
} from './api-version.ts';
export type { VersionRefusal, VersionedPath } from './api-version.ts';
export { StdCopyDecoder, stdCopyFrame } from './std-copy.ts';
export type { StdCopyFrame, StdStream } from './std-copy.ts';
export { decodeRegistryAuth, registryAuthOf } from './registry-auth.ts';
export type { RegistryAuth } from './registry-auth.ts';
export { parseContainerName } from './container-name.ts';
export { layerProgress, progressError, progressLine, sizeText } from './progress.ts';
export type { ProgressMessage } from './progress.ts';
export { ZERO_TIME, dateToNs, humanDuration, parseGoDuration, parseMoment, rfc3339Nano } from './go-time.ts';
export { parseBody, parseOptionalBody } from './request-body.ts';
export type { ContainerConfig } from './messages/container-config.ts';
export type { HostConfig } from './messages/host-config.ts';
export { ContainerCreateSchema } from './messages/container-create.ts';
export type { ContainerCreate, EndpointSettings, NetworkingConfig } from './messages/container-create.ts';
export { ExecCreateSchema, ExecStartSchema } from './messages/exec.ts';
export type { ExecCreate } from './messages/exec.ts';
export { AuthConfigSchema } from './messages/auth.ts';
export type {
  ConfigAnswer,
  ContainerSummary,
  EndpointAnswer,
  EventMessage,
  HistoryItem,
  ImageSummary,
  PortMap,
  PortSummary,
  StateAnswer,
} from './messages/responses.ts';
