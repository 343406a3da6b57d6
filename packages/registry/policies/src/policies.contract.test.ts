import { onPostgres } from '@vic/sql/testing';
import { immutabilitySuite } from './testing/immutability.suite.ts';
import { quotasSuite } from './testing/quotas.suite.ts';
import { retentionSuite } from './testing/retention.suite.ts';

onPostgres('immutability', immutabilitySuite);
onPostgres('quotas', quotasSuite);
onPostgres('retention', retentionSuite);
