import { onPostgres } from '@vic/sql/testing';
import { replicationSuite } from './testing/replication.suite.ts';
import { topologiesSuite } from './testing/topologies.suite.ts';

onPostgres('replication', replicationSuite);
onPostgres('replication', topologiesSuite);
