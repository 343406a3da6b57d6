import { type HttpApplication, Type } from '@vic/http';
import { type RestRoutes, auditSubject, permits, principalOf } from '@vic/rest';
import { SETTING_DEFINITIONS, type SettingName, type SettingValues } from './setting-definitions.ts';
import { type Settings, isSecret } from './settings.ts';

/** What the routes are made of. */
export interface SettingRoutesDeps {
  readonly settings: Settings;
  /** The parts of `/systeminfo` that are no settings. */
  readonly installation: InstallationInfo;
}

/** What an installation is, for `/systeminfo`. */
export interface InstallationInfo {
  readonly version: string;
  readonly externalUrl: string;
  /** `filesystem` or `s3`. */
  readonly storageProvider: string;
  /** Whether `/systeminfo/getcert` has something to give. */
  readonly hasCertificateAuthority: boolean;
}

const CHANGES = Type.Record(Type.String({ maxLength: 100 }), Type.Unknown());

/** `/configurations` and `/systeminfo`. */
export function settingRoutes(deps: SettingRoutesDeps): RestRoutes {
  return (app) => {
    serveConfigurations(app, deps);
    serveSystemInfo(app, deps);
  };
}

function serveConfigurations(app: HttpApplication, { settings }: SettingRoutesDeps): void {
  app.get('/configurations', permits({ scope: 'system', resource: 'configuration', action: 'read' }), async () => {
    const values = await settings.values();
    const answer: Record<string, { value: unknown; editable: boolean }> = {};
    for (const name of Object.keys(SETTING_DEFINITIONS) as SettingName[]) {
      if (isSecret(name)) continue;
      answer[name] = { value: values[name], editable: await settings.isEditable(name) };
    }
    return answer;
  });
  app.put(
    '/configurations',
    {
      ...permits(
        { scope: 'system', resource: 'configuration', action: 'update' },
        { operation: 'update', resourceType: 'configuration' },
      ),
      schema: { body: CHANGES },
    },
    async (request, reply) => {
      auditSubject(request, Object.keys(request.body).join(', ').slice(0, 250));
      await settings.update(request.body);
      return reply.code(200).send();
    },
  );
}

function serveSystemInfo(app: HttpApplication, { settings, installation }: SettingRoutesDeps): void {
  app.get('/systeminfo', permits({ scope: 'public' }), async (request) => {
    const values = await settings.values();
    const open = publicInfo(values);
    if (principalOf(request).kind === 'anonymous') return open;
    return { ...open, ...protectedInfo(values, installation) };
  });
}

function publicInfo(values: SettingValues): Record<string, unknown> {
  return {
    auth_mode: values.auth_mode,
    primary_auth_mode: values.primary_auth_mode,
    self_registration: values.self_registration,
    banner_message: values.banner_message,
    ...(values.auth_mode === 'oidc_auth' ? { oidc_provider_name: values.oidc_name } : {}),
  };
}

function protectedInfo(values: SettingValues, installation: InstallationInfo): Record<string, unknown> {
  return {
    current_time: new Date().toISOString(),
    read_only: values.read_only,
    notification_enable: values.notification_enable,
    project_creation_restriction: values.project_creation_restriction,
    external_url: installation.externalUrl,
    registry_url: installation.externalUrl.replace(/^[a-z]+:\/\//, ''),
    has_ca_root: installation.hasCertificateAuthority,
    registry_storage_provider_name: installation.storageProvider,
    harbor_version: installation.version,
  };
}
