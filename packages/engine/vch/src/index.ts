export {
  VCH_CONFIGURATION_KEY,
  VCH_CONTAINER_KEY_KEY,
  VCH_SERVER_KEY_KEY,
  VCH_VIM_PASSWORD_KEY,
  decodeVchConfiguration,
  decodeVchSecrets,
  encodeVchConfiguration,
  networkOf,
} from './configuration.ts';
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
