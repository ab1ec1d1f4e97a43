using Rl.Distributed.Actors;
using Rl.Distributed.Core.Environments;
using Rl.Distributed.Core.Runs;
using Rl.Distributed.Core.Trajectories;
using Rl.Distributed.Replay;

namespace Rl.Distributed.Ring.Tests;

public sealed class LedgerTests
{
    private static readonly UnrollShape Shape = new(2, 3, new ObservationSpec(ElementType.Float32, 4), 2);

    [Fact]
    public void Every_unroll_sent_is_in_flight_consumed_rejected_or_lost()
    {
        var ledger = new InFlightLedger<Unroll>();
        for (var i = 0; i < 5; i++) ledger.Send(i, Unroll(i), TimeSpan.FromSeconds(i));
        Assert.NotNull(ledger.Close(0, UnrollOutcome.Consumed));
        Assert.NotNull(ledger.Close(3, UnrollOutcome.TableFull));
        Assert.Equal(1, ledger.Expire(TimeSpan.FromSeconds(1.5)));
        Assert.Equal((5, 1, 1, 1, 2), (ledger.Sent, ledger.Consumed, ledger.Rejected, ledger.Lost, ledger.InFlight));
    }

    [Fact]
    public void A_late_answer_moves_a_lost_unroll_to_consumed_and_keeps_its_buffers_away_from_the_pool()
    {
        var ledger = new InFlightLedger<Unroll>();
        ledger.Send(0, Unroll(0), TimeSpan.Zero);
        ledger.Expire(TimeSpan.FromSeconds(1));
        Assert.Null(ledger.Close(0, UnrollOutcome.Consumed));
        Assert.Equal((1, 0), (ledger.Consumed, ledger.Lost));
    }

    [Fact]
    public void Buffers_that_are_in_flight_again_do_not_expire_with_their_first_use()
    {
        var ledger = new InFlightLedger<Unroll>();
        var buffers = Unroll(1);
        ledger.Send(0, Unroll(0), TimeSpan.FromSeconds(0));
        ledger.Send(1, buffers, TimeSpan.FromSeconds(1));
        Assert.Same(buffers, ledger.Close(1, UnrollOutcome.Consumed));
        ledger.Send(2, buffers, TimeSpan.FromSeconds(50));
        Assert.Equal(1, ledger.Expire(TimeSpan.FromSeconds(5)));
        Assert.Equal((1, 1), (ledger.Lost, ledger.InFlight));
    }

    [Fact]
    public void An_answer_for_an_unroll_that_was_never_sent_changes_nothing()
    {
        var ledger = new InFlightLedger<Unroll>();
        Assert.Null(ledger.Close(7, UnrollOutcome.Consumed));
        Assert.Equal(0, ledger.Consumed);
    }

    [Fact]
    public void An_unroll_is_consumed_once_and_gaps_count_as_missing()
    {
        var ledger = new ConsumptionLedger();
        Assert.True(ledger.TryConsume(Id(0)));
        Assert.True(ledger.TryConsume(Id(3)));
        Assert.False(ledger.TryConsume(Id(3)));
        Assert.False(ledger.TryConsume(Id(2)));
        Assert.True(ledger.TryConsume(new UnrollId(1, 1, 0)));
        Assert.Equal((3, 2, 2), (ledger.Consumed, ledger.Duplicates, ledger.Missing));
    }

    [Fact]
    public void A_saved_ledger_still_knows_what_was_consumed()
    {
        var ledger = new ConsumptionLedger();
        ledger.TryConsume(Id(0));
        ledger.TryConsume(new UnrollId(0, 1, 4));
        var loaded = ConsumptionLedger.Load(ledger.Save());
        Assert.False(loaded.TryConsume(new UnrollId(0, 1, 4)));
        Assert.Equal((2, 1, 4), (loaded.Consumed, loaded.Duplicates, loaded.Missing));
    }

    [Theory]
    [InlineData(new long[] { })]
    [InlineData(new long[] { 1, 2, 3 })]
    [InlineData(new long[] { -2, 0, 1, 1, -1, -1, 0, 0 })]
    public void A_ledger_that_makes_no_sense_is_refused(long[] rows) =>
        Assert.Throws<ArgumentException>(() => ConsumptionLedger.Load(rows));

    [Fact]
    public void Credits_are_bounded_in_unrolls_and_in_bytes_but_never_below_one()
    {
        var book = new CreditBook(4, 1000);
        Assert.Equal((4, 2, 1), (book.CreditsFor(10), book.CreditsFor(400), book.CreditsFor(5000)));
    }

    [Fact]
    public void A_repeated_sequence_number_is_a_duplicate_and_an_old_incarnation_is_stale()
    {
        var book = new CreditBook(4, 1000);
        Assert.True(book.TryRegister(0, 1));
        Assert.False(book.TryRegister(0, 0));
        Assert.Null(book.Reject(0, 1, 0));
        Assert.Equal(UnrollOutcome.Duplicate, book.Reject(0, 1, 0));
        Assert.Equal(UnrollOutcome.StaleIncarnation, book.Reject(0, 0, 5));
        Assert.Equal(UnrollOutcome.StaleIncarnation, book.Reject(3, 0, 0));
    }

    [Fact]
    public void A_fifo_table_gives_the_oldest_first_and_all_or_nothing()
    {
        var table = new FifoTable(3);
        for (var i = 0; i < 3; i++) Assert.True(table.TryInsert(Unroll(i)));
        Assert.False(table.TryInsert(Unroll(3)));
        Assert.True(table.TryTake(2, out var taken));
        Assert.Equal([0, 1], taken.Select(unroll => unroll.Id.Sequence));
        Assert.False(table.TryTake(2, out _));
        Assert.Equal((3, 2, 1), (table.Inserted, table.Taken, table.Count));
    }

    private static UnrollId Id(long sequence) => new(0, 0, sequence);

    private static Unroll Unroll(long sequence) => new(Shape) { Id = Id(sequence) };
}
