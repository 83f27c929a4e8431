"""Many at once: nobody overspends, no book is crossed, nothing is left unmatched."""

from concurrent.futures import ThreadPoolExecutor

from tests.flows.exchange import says, until


def test_forty_threads_of_crossing_orders_leave_no_crossed_book(exchange):
    exchange.list("CROSS1", reference_price=None)
    brokers = [exchange.trusted() for _ in range(4)]

    def trade(thread):
        broker = brokers[thread % 4]
        for n in range(10):
            side = "bid" if thread % 2 else "ask"
            broker.order(side, 10 + n, 1000 + (thread * 7 + n * 3) % 21, "CROSS1", document_number=str(thread))

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(trade, range(40)))
    exchange.settle()
    book = brokers[0].get("/stocks/CROSS1/book?depth=50")
    if book["bids"] and book["asks"]:
        assert book["bids"][0]["price"] < book["asks"][0]["price"]
    assert exchange.scalar("SELECT count(*) FROM orders WHERE status = 'pending'") == 0
    assert exchange.scalar("SELECT count(*) FROM trades") > 0
    exchange.verify()


def test_twenty_threads_cannot_spend_one_balance_twice(exchange):
    broker = exchange.broker("Poor", cash=10 * 100 * 3200)

    def spend(thread):
        answers = []
        for n in range(3):
            body = {
                "document_number": "1",
                "side": "bid",
                "symbol": "PETR4",
                "quantity": 100,
                "price": 3200 + thread + n,
            }
            answers.append(broker.call("POST", "/orders", body).status_code)
        return answers

    with ThreadPoolExecutor(20) as pool:
        codes = [code for answers in pool.map(spend, range(20)) for code in answers]
    assert set(codes) == {201, 422}
    balance = broker.get("/balance")
    assert balance["available"] + balance["reserved"] == 10 * 100 * 3200
    assert 0 <= balance["available"] < 100 * 3300
    exchange.verify()


def test_the_same_client_order_id_from_twenty_threads_is_one_order(exchange):
    broker = exchange.trusted()
    body = {
        "document_number": "1", "side": "bid", "symbol": "PETR4", "quantity": 100, "price": 3200,
        "client_order_id": "only-once",
    }  # fmt: skip

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: broker.call("POST", "/orders", body), range(20)))
    assert sorted({answer.status_code for answer in answers}) == [200, 201]
    assert [answer.status_code for answer in answers].count(201) == 1
    assert len({answer.json()["order_id"] for answer in answers}) == 1
    assert broker.get("/balance")["reserved"] == 100 * 3200


def test_two_group_workers_on_the_same_stocks_match_nothing_twice(exchange):
    exchange.list("TWO1", reference_price=None)
    second = exchange.start("match")
    says(second, "matching group A")
    brokers = [exchange.trusted() for _ in range(4)]

    def trade(thread):
        for n in range(20):
            side = "bid" if (thread + n) % 2 else "ask"
            brokers[thread % 4].order(side, 10, 1000 + n % 5, "TWO1", document_number=str(thread))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(trade, range(16)))
    exchange.settle()
    trades = "SELECT count(*) FROM trades JOIN stocks ON stocks.id = stock_id WHERE symbol = 'TWO1'"
    assert exchange.scalar(trades) > 0
    exchange.verify()
    assert second.stop() == 0


def test_a_plain_rq_worker_is_just_as_correct(exchange):
    exchange.list("PLAIN1", reference_price=None)
    group_worker = exchange.process("match")
    group_worker.stop()
    broker = exchange.trusted()
    broker.order("ask", 100, 1000, "PLAIN1", document_number="a")
    plain = exchange.processes.start_module(
        "plain", "rq.cli", "worker", "match.PLAIN1", "--url", exchange.settings.redis.url, "--worker-class",
        "rq.SimpleWorker", "--job-class", "queues.jobs.ExchangeJob", "--serializer", "rq.serializers.JSONSerializer",
    )  # fmt: skip
    taken = broker.order("bid", 60, 1000, "PLAIN1", document_number="b", wait=10)
    assert taken["status"] == "filled"
    plain.kill()
    exchange.start("match")
    until(lambda: broker.order("bid", 40, 1000, "PLAIN1", document_number="c", wait=5)["status"] == "filled", "filled")
    exchange.verify()
