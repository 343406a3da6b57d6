import type { ProgramSpec } from '@vic/cli';
import { importAdvisories } from './commands/advisories-command.ts';
import { verifyAudit } from './commands/audit-command.ts';
import { backup, restore, verifyBackup } from './commands/backup-command.ts';
import { gc, scrub } from './commands/collect-command.ts';
import { rotateSecrets, rotateTokenKey } from './commands/keys-command.ts';
import { migrateDatabase } from './commands/database-command.ts';
import { migrate } from './commands/migrate-command.ts';
import { serve } from './commands/serve-command.ts';
import { listUsers, resetPassword } from './commands/users-command.ts';
import { VERSION } from './version.ts';

/** The program with all its commands. */
export const registryProgram: ProgramSpec = {
  name: 'registry',
  summary: 'The enterprise registry',
  version: VERSION,
  commands: [
    serve,
    gc,
    scrub,
    importAdvisories,
    backup,
    verifyBackup,
    restore,
    migrate,
    migrateDatabase,
    listUsers,
    resetPassword,
    verifyAudit,
    rotateTokenKey,
    rotateSecrets,
  ],
};
