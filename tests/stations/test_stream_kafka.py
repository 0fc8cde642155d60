"""What only a Kafka can do to us."""

from uuid import uuid4

from confluent_kafka.admin import NewTopic

from common.clients.stream.kafka_config import Admin
from local.poller import batch
from tests.streams import Engine, read


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
