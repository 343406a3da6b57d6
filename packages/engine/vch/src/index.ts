export { decodeVchConfiguration, decodeVchSecrets, encodeVchConfiguration, networkOf } from './configuration.ts';
export type {
  NetworkRole,
  VchConfiguration,
  VchNetwork,
  VchObjectReference,
  VchRegistries,
  VchSecrets,
  VchTls,
  VchTlsMode,
  VchVimTarget,
} from './configuration.ts';
export { checkVchOptions } from './vch-settings.ts';
export type { VchOptions, VchSettings } from './vch-settings.ts';
export { parseDuration } from './size.ts';
export { parseTarget, targetUrl } from './target.ts';
export type { Target } from './target.ts';
export { checkCertificateDirectory, makeCertificates, writeCertificateFiles } from './certificates.ts';
export type { GivenCertificates, VchCertificates } from './certificates.ts';
export { readBootstrapIso } from './bootstrap-iso.ts';
export { findPlace, runsProcessMachines } from './vch-place.ts';
export type { VchPlace } from './vch-place.ts';
export { checkAgainstInventory } from './check-against-inventory.ts';
export { createVch } from './create-vch.ts';
export type { CreatedVch, CreateVchDeps, NewVch } from './create-vch.ts';
export { deleteVch } from './delete-vch.ts';
export type { DeleteVchDeps } from './delete-vch.ts';
export { configurationOf, folderPathOf, listVchs } from './list-vchs.ts';
export type { FoundVch } from './list-vchs.ts';
export { dockerEnvironmentOf, environmentFileOf } from './docker-environment.ts';
export type { DockerEnvironment } from './docker-environment.ts';
export { waitForDocker } from './wait-for-docker.ts';
export type { DockerProbe } from './wait-for-docker.ts';
