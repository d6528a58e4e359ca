using CsCheck;
using Moat.Kernel.Memory;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Tests.Memory;

public sealed class MemoryManagerTests : IDisposable
{
    private const ulong PageSize = MemoryFile.PageSize;
    private readonly MemoryFile _file = new(64 << 20);

    public void Dispose() => _file.Dispose();

    [Fact]
    public void Map_OfAnonymousMemory_ShowsItsFirstPages()
    {
        SimulatedProcess process = SimulatedProcess.Create(_file);
        ulong at = process.Map(100);
        Assert.True(process.Write(at, 1));
        Assert.Equal(0, process.Faults);
    }

    [Fact]
    public void Touch_OnePageAfterTheOther_TakesFewFaults()
    {
        SimulatedProcess process = SimulatedProcess.Create(_file);
        ulong at = process.Map(4096);
        for (ulong page = 0; page < 4096; page++)
        {
            Assert.True(process.Write(at + (page * PageSize), 1));
        }

        Assert.InRange(process.Faults, 1, 16);
    }

    [Fact]
    public void Fork_OfASmallSpace_CopiesItsPagesAndProtectsNothing()
    {
        SimulatedProcess parent = SimulatedProcess.Create(_file);
        ulong at = parent.Map(20);
        parent.Write(at, 1);
        SimulatedProcess child = parent.Fork();
        Assert.Equal(0, parent.Space.Protections);
        Assert.True(parent.Write(at, 2));
        Assert.Equal((byte)1, child.Read(at));
        Assert.Equal(0, child.Faults);
    }

    [Fact]
    public void Fork_WithAnotherTask_SharesPages()
    {
        SimulatedProcess parent = SimulatedProcess.Create(_file);
        ulong at = parent.Map(20);
        Assert.Equal(Errno.None, parent.Memory.AddTask());
        SimulatedProcess child = parent.Fork();
        Assert.Equal((byte)0, child.Read(at));
        Assert.Equal(parent.Space.Mapped[at / PageSize].Page, child.Space.Mapped[at / PageSize].Page);
        Assert.Equal(1, parent.Space.Protections);
    }

    [Fact]
    public void Fork_OfALargeSpace_SharesPagesAndCopiesAFewAtATime()
    {
        SimulatedProcess parent = SimulatedProcess.Create(_file);
        ulong at = parent.Map(1000);
        for (ulong page = 0; page < 1000; page++)
        {
            parent.Write(at + (page * PageSize), (byte)page);
        }

        ulong before = _file.UsedBytes;
        SimulatedProcess child = parent.Fork();
        Assert.Equal(before, _file.UsedBytes);
        child.Write(at + (100 * PageSize), 99);
        Assert.InRange(_file.UsedBytes - before, PageSize, 16 * PageSize);
        Assert.Equal((byte)101, child.Read(at + (101 * PageSize)));
        Assert.Equal((byte)100, parent.Read(at + (100 * PageSize)));
    }

    [Fact]
    public void Protect_OfWhatIsOffered_Counts()
    {
        SimulatedProcess parent = SimulatedProcess.Create(_file);
        ulong at = parent.Map(4);
        parent.Write(at, 7);
        SimulatedProcess child = parent.Fork();
        Assert.Equal(Errno.None, child.Memory.Protect(at, PageSize, MemoryAccess.Read));
        Assert.False(child.Write(at, 8));
        Assert.Equal((byte)7, child.Read(at));
    }

    /// <summary>A family of processes does at random what changes memory; each must see what a plain copy of its own would hold.</summary>
    [Fact]
    public void Processes_SeeTheirOwnMemory_WhateverTheOthersDo() =>
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, 3], Gen.ULong[0, 199], Gen.ULong[1, 40], Gen.Byte).Array[1, 120].Sample(
            steps =>
            {
                using MemoryFile file = new(32 << 20);
                List<(SimulatedProcess Process, Dictionary<ulong, byte> Model)> family = [(SimulatedProcess.Create(file), [])];
                const ulong Base = 0x40000000;
                foreach ((int kind, int who, ulong page, ulong pages, byte value) in steps)
                {
                    (SimulatedProcess process, Dictionary<ulong, byte> model) = family[who % family.Count];
                    ulong address = Base + (page * PageSize);
                    switch (kind)
                    {
                        case 0:
                            process.Map(pages, address, isFixed: true);
                            Range(page, pages).ForEach(at => model[at] = 0);
                            break;
                        case 1:
                            process.Memory.Unmap(address, pages * PageSize);
                            Range(page, pages).ForEach(at => model.Remove(at));
                            break;
                        case 2 or 3:
                            Assert.Equal(model.ContainsKey(page), process.Write(address, value));
                            if (model.ContainsKey(page))
                            {
                                model[page] = value;
                            }

                            break;
                        case 4:
                            if (family.Count < 4)
                            {
                                family.Add((process.Fork(), new(model)));
                            }

                            break;
                        case 5:
                            process.Memory.DiscardPages(address, pages * PageSize);
                            Range(page, pages).Where(model.ContainsKey).ToList().ForEach(at => model[at] = 0);
                            break;
                        default:
                            if (family.Count > 1)
                            {
                                process.Memory.RemoveUser();
                                family.RemoveAt(who % family.Count);
                            }

                            break;
                    }

                    foreach ((SimulatedProcess member, Dictionary<ulong, byte> expected) in family)
                    {
                        for (ulong at = page; at < Math.Min(page + pages, 240); at++)
                        {
                            Assert.Equal(expected.TryGetValue(at, out byte known) ? known : null, member.Read(Base + (at * PageSize)));
                        }
                    }
                }

                family.ForEach(static member => member.Process.Memory.RemoveUser());
                Assert.Equal(0UL, file.UsedBytes);
            },
            iter: 60);

    private static List<ulong> Range(ulong first, ulong count) => [.. Enumerable.Range(0, (int)count).Select(i => first + (ulong)i)];
}
