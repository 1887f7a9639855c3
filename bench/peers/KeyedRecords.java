// Kafka Streams as a peer of the keyed workload: each record with the number of those of its key so far.
//   java KeyedRecords BOOTSTRAP IN OUT (eos|alos) THREADS COMMIT_MS
// The key is a record's last three bytes, so that records meet theirs behind a repartition topic.
import java.time.Duration;
import java.util.*;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.*;

public class KeyedRecords {
    static class Counter extends ContextualProcessor<String, String, String, String> {
        private KeyValueStore<String, Long> counts;

        @Override
        public void init(ProcessorContext<String, String> context) {
            super.init(context);
            counts = context.getStateStore("counts");
        }

        @Override
        public void process(Record<String, String> record) {
            Long before = counts.get(record.key());
            long count = before == null ? 1 : before + 1;
            counts.put(record.key(), count);
            context().forward(record.withValue(record.value() + "," + count));
        }
    }

    public static void main(String[] a) throws Exception {
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, "bench-keyed-" + System.nanoTime());
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, a[0]);
        p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, a[3].equals("eos") ? "exactly_once_v2" : "at_least_once");
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, a[4]);
        p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, a[5]);
        p.put(StreamsConfig.STATE_DIR_CONFIG, "/tmp/streams-" + System.nanoTime());
        p.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        p.put(StreamsConfig.producerPrefix("linger.ms"), "0");
        StreamsBuilder b = new StreamsBuilder();
        b.addStateStore(Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore("counts"), Serdes.String(), Serdes.Long()).withCachingEnabled());
        b.stream(a[1], Consumed.with(Serdes.ByteArray(), Serdes.String()))
            .selectKey((k, v) -> v.substring(v.length() - 3))
            .repartition(Repartitioned.with(Serdes.String(), Serdes.String()).withNumberOfPartitions(4))
            .process(Counter::new, "counts")
            .to(a[2], Produced.with(Serdes.String(), Serdes.String()));
        KafkaStreams streams = new KafkaStreams(b.build(), p);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(5))));
        streams.start();
        Thread.sleep(Long.MAX_VALUE);
    }
}
