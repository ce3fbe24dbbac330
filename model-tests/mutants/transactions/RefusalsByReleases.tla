-------------------------- MODULE RefusalsByReleases --------------------------
\* Every request in every state, under rules that some release or exhibit has.
EXTENDS TransactionRefusals, KafkaTransactionReleases, KAFKA_14884
=============================================================================
