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
