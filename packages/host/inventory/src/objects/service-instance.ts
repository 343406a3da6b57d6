import type { AboutInfo, ServiceContent } from '@vic/vim';
import type { Handlers } from '../model/call.ts';
import type { Host } from '../model/host.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';

/** The root of the API. */
export class ServiceInstance extends ManagedObject {
  readonly #host: Host;

  constructor(host: Host) {
    super('ServiceInstance', WELL_KNOWN.serviceInstance.value, host.changes);
    this.#host = host;
  }

  protected readonly properties = {
    content: () => serviceContent(this.#host),
    serverClock: () => this.#host.now(),
    capability: () => ({ provisioningSupported: false, multiHostSupported: false, userShellAccessSupported: false }),
  };

  override readFor(name: string): unknown {
    return name === 'serverClock' ? this.#host.now() : this.read(name);
  }

  readonly handlers: Handlers<ServiceInstance> = {
    RetrieveServiceContent: () => serviceContent(this.#host),
    CurrentTime: () => this.#host.now(),
  };
}

/** What the host says about itself. */
export function aboutInfo(host: Host): AboutInfo {
  return {
    name: 'VIC hostd',
    fullName: 'VIC hostd 0.1.0',
    vendor: 'VIC',
    version: '6.7.1',
    build: '1',
    localeVersion: 'INTL',
    localeBuild: '000',
    osType: 'linux-x64',
    productLineId: 'embeddedEsx',
    apiType: 'HostAgent',
    apiVersion: '6.7.1',
    instanceUuid: host.uuid,
    licenseProductName: 'VIC hostd',
    licenseProductVersion: '6.0',
  };
}

function serviceContent(host: Host): ServiceContent {
  return {
    rootFolder: WELL_KNOWN.rootFolder,
    propertyCollector: WELL_KNOWN.propertyCollector,
    viewManager: WELL_KNOWN.viewManager,
    about: aboutInfo(host),
    setting: WELL_KNOWN.optionManager,
    userDirectory: WELL_KNOWN.userDirectory,
    sessionManager: WELL_KNOWN.sessionManager,
    authorizationManager: WELL_KNOWN.authorizationManager,
    perfManager: WELL_KNOWN.performanceManager,
    eventManager: WELL_KNOWN.eventManager,
    taskManager: WELL_KNOWN.taskManager,
    licenseManager: WELL_KNOWN.licenseManager,
    searchIndex: WELL_KNOWN.searchIndex,
    fileManager: WELL_KNOWN.fileManager,
    virtualDiskManager: WELL_KNOWN.virtualDiskManager,
  };
}
