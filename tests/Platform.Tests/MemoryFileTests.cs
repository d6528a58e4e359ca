using Moat.Linux;

namespace Moat.Platform.Tests;

public sealed class MemoryFileTests : IDisposable
{
    private const int PageSize = MemoryFile.PageSize;
    private readonly MemoryFile _file = new(64 << 20);

    public void Dispose() => _file.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(3000)]
    public void Allocate_AfterUse_GivesZeros(int count)
    {
        for (int round = 0; round < 8; round++)
        {
            int page = _file.Allocate(count, out int got).Value;
            Span<byte> bytes = _file.Bytes(page, 0, got * PageSize);
            Assert.Equal(-1, bytes.IndexOfAnyExcept((byte)0));
            bytes.Fill(0xa5);
            _file.Release(page, got);
        }
    }

    [Fact]
    public void Allocate_OfARunThatWasFreed_GivesItAgain()
    {
        int page = _file.Allocate(16, out _).Value;
        _file.Allocate(1, out _);
        _file.Release(page, 16);
        Assert.Equal(page, _file.Allocate(16, out int got).Value);
        Assert.Equal(16, got);
    }

    [Fact]
    public void Allocate_TakesTheLastPages_WhateverTheirKind()
    {
        List<(int Page, int Count)> all = [];
        while (_file.Allocate(5, out int got).TryGet(out int page, out _))
        {
            all.Add((page, got));
        }

        Assert.Equal(_file.LimitBytes - PageSize, _file.UsedBytes); // the first page is never given out
        foreach ((int page, int count) in all)
        {
            _file.Release(page, count);
        }

        Assert.Equal(0UL, _file.UsedBytes);
        int pages = 0;
        while (_file.Allocate(7, out int got).TryGet(out int page, out _))
        {
            pages += got;
            Assert.Equal(-1, _file.Bytes(page, 0, got * PageSize).IndexOfAnyExcept((byte)0));
        }

        Assert.Equal(_file.LimitBytes / PageSize - 1, (ulong)pages);
    }

    /// <summary>Whatever sizes come and go, each page has one owner, and is zero when it comes.</summary>
    [Fact]
    public void AllocateAndRelease_AtRandom_GiveEachPageToOne()
    {
        Random random = new(7);
        List<(int Page, int Count, byte Mark)> held = [];
        for (int step = 0; step < 20000; step++)
        {
            if (held.Count > 0 && (held.Count > 400 || random.Next(5) < 2))
            {
                int which = random.Next(held.Count);
                (int page, int count, byte mark) = held[which];
                held[which] = held[^1];
                held.RemoveAt(held.Count - 1);
                for (int i = 0; i < count; i++)
                {
                    Assert.Equal(mark, _file.Bytes(page + i, 100, 1)[0]);
                }

                _file.Release(page, count);
                continue;
            }

            if (_file.Allocate(random.Next(20) == 0 ? random.Next(1, 200) : random.Next(1, 18), out int got).TryGet(out int first, out _))
            {
                byte mark = (byte)random.Next(1, 256);
                for (int i = 0; i < got; i++)
                {
                    Assert.Equal(0, _file.Bytes(first + i, 100, 1)[0]);
                    _file.Bytes(first + i, 100, 1)[0] = mark;
                }

                held.Add((first, got, mark));
            }
        }

        held.ForEach(run => _file.Release(run.Page, run.Count));
        Assert.Equal(0UL, _file.UsedBytes);
    }

    [Fact]
    public void Release_OfAPinnedPage_WaitsForTheEndOfThePin()
    {
        int page = _file.Allocate(1, out _).Value;
        _file.AddPin(page);
        _file.Release(page);
        Assert.NotEqual(page, _file.Allocate(1, out _).Value);
        _file.RemovePin(page);
        Assert.Equal(page, _file.Allocate(1, out _).Value);
    }
}
