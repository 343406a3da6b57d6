export { Settings, resealSettings } from './settings.ts';
export type { SettingsCheck, SettingsDeps } from './settings.ts';
export type { SettingName, SettingValues } from './setting-definitions.ts';
export type { SettingDefinition, SettingValue } from './setting-definition.ts';
export { settingRoutes } from './setting-routes.ts';
export type { InstallationInfo, SettingRoutesDeps } from './setting-routes.ts';
