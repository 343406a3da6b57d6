import type { AuditTables } from './audit.ts';
import type { EventsTables } from './events.ts';
import type { GcTables } from './gc.ts';
import type { IdentityTables } from './identity.ts';
import type { JobsTables } from './jobs.ts';
import type { LabelsTables } from './labels.ts';
import type { PoliciesTables } from './policies.ts';
import type { ProjectsTables } from './projects.ts';
import type { ReplicationTables } from './replication.ts';
import type { RepositoriesTables } from './repositories.ts';
import type { ScanningTables } from './scanning.ts';
import type { SettingsTables } from './settings.ts';
import type { TokensTables } from './tokens.ts';
import type { TrustTables } from './trust.ts';
import type { WebhooksTables } from './webhooks.ts';

/** Every table of the one schema; each area's tables are in the file of its name. */
export interface Schema
  extends
    IdentityTables,
    ProjectsTables,
    EventsTables,
    JobsTables,
    AuditTables,
    SettingsTables,
    RepositoriesTables,
    LabelsTables,
    PoliciesTables,
    GcTables,
    ScanningTables,
    TrustTables,
    ReplicationTables,
    WebhooksTables,
    TokensTables {}
