"""What only a Kafka can do to us."""

import threading
from uuid import uuid4

from confluent_kafka.admin import NewTopic

from common.clients.stream.kafka_config import Admin
from local.poller import batch
from tests.streams import Engine, read, reading


def test_a_topic_stamped_by_its_publishers_says_so_to_the_station() -> None:
    engine = Engine("kafka")
    assert engine.settings.kafka
    name = f"t{uuid4().hex[:8]}"
    new = NewTopic(name, 1, 1, config={"message.timestamp.type": "CreateTime"})
    admin = Admin(engine.settings.kafka)
    [made] = admin.client.create_topics([new]).values()
    made.result(10)
    ours = engine.topic()
    for topic, kind in ((name, b"CREATE_TIME"), (ours, b"LOG_APPEND_TIME")):
        engine.stream().publish(topic, [(None, b"1")]).wait()
        [record] = read(engine.reader(topic), 1)
        assert b'"timestampType":"' + kind in batch.item(record).text
    engine.close()


def test_who_pauses_while_another_thread_reads_and_partitions_move_does_not_stand_still() -> None:
    """The library lets no other thread in while it reads, and calls us meanwhile: a lock held there stays held."""
    engine = Engine("kafka")
    topic = engine.topic(4)
    reader, until_told = engine.reader(topic), threading.Event()

    def pause_and_resume() -> None:
        while not until_told.wait(0.001):
            for part in range(4):
                reader.pause(part)
                reader.resume(part)

    pausing = threading.Thread(target=pause_and_resume, daemon=True)
    reading(reader, until=lambda: len(reader.assigned()) == 4)
    pausing.start()
    other = engine.reader(topic)
    reading(reader, other, until=lambda: len(reader.assigned()) == 2)
    other.close()
    reading(reader, until=lambda: len(reader.assigned()) == 4)
    until_told.set()
    pausing.join(10)
    assert not pausing.is_alive()
    engine.close()
