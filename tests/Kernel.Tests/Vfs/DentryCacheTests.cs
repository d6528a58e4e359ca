using System.Runtime.CompilerServices;
using System.Text;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Kernel.Tests.Vfs;

public sealed class DentryCacheTests
{
    private const int Limit = 1000;
    private const int Slack = 300; // what one walk may leave

    [Fact]
    public void Trim_AfterAMillionNames_HasKeptFew()
    {
        CachedDirectory root = new(Limit);
        Dentry top = new(null, new FileName("/"), root);
        for (int i = 0; i < 1_000_000; i++)
        {
            LookUp(top, $"n{i}");
            if (root.Cache.Count > Limit + Slack)
            {
                Assert.Fail($"{root.Cache.Count} names are cached after {i}");
            }
        }

        GC.Collect();
        Fill(top, 5 * Limit);
        Assert.InRange(root.Cache.EvictedCount, 0, 6 * Limit); // those that nobody uses are forgotten
    }

    [Fact]
    public void LookupChild_OfANameThatSomebodyUses_IsAlwaysTheSame()
    {
        CachedDirectory root = new(Limit);
        Dentry top = new(null, new FileName("/"), root);
        Dentry[] used = [.. Enumerable.Range(0, 100).Select(i => LookUp(top, $"used{i}"))];
        Fill(top, 5 * Limit);
        GC.Collect();
        Assert.All(used, static dentry => Assert.Null(dentry.Parent.FindChild(dentry.Name.Bytes)));
        Assert.All(used, dentry => Assert.Same(dentry, LookUp(top, dentry.Name.ToString())));
        Assert.All(used, static dentry => Assert.Same(dentry, dentry.Parent.FindChild(dentry.Name.Bytes)));
    }

    [Fact]
    public void LookupChild_OfANameThatNobodyUses_IsAskedForAgain()
    {
        CachedDirectory root = new(Limit);
        Dentry top = new(null, new FileName("/"), root);
        WeakReference<Dentry> gone = LookUpAndForget(top);
        Fill(top, 5 * Limit);
        GC.Collect();
        Assert.False(gone.TryGetTarget(out _));
        int before = root.Lookups;
        LookUp(top, "gone");
        Assert.Equal(before + 1, root.Lookups);
    }

    [Fact]
    public void Trim_LeavesWhatWasUsedLately_WhatIsMountedOn_AndDirectoriesOfCachedNames()
    {
        CachedDirectory root = new(Limit);
        Dentry top = new(null, new FileName("/"), root);
        Dentry directory = LookUp(top, "directory");
        Dentry below = LookUp(directory, "below");
        Dentry mounted = LookUp(top, "mounted");
        mounted.AddMount();
        for (int i = 0; i < 5 * Limit; i++)
        {
            LookUp(top, $"n{i}");
            if (i % (Limit / 4) == 0)
            {
                Assert.Same(below, directory.FindChild("below"u8));
            }
        }

        Assert.Same(mounted, top.FindChild("mounted"u8));
        Assert.Same(directory, top.FindChild("directory"u8));
        Assert.Same(below, directory.FindChild("below"u8));
    }

    [Fact]
    public void RemoveChild_AndAdopt_KeepTheCountRight()
    {
        CachedDirectory root = new(Limit);
        Dentry top = new(null, new FileName("/"), root);
        Dentry first = LookUp(top, "first");
        LookUp(top, "second");
        Assert.Equal(2, root.Cache.Count);
        top.RemoveChild(first);
        Assert.Equal(1, root.Cache.Count);
        top.Adopt(first, new FileName("third"));
        Assert.Equal(2, root.Cache.Count);
        top.RemoveChild(first);
        top.RemoveChild(first);
        Assert.Equal(1, root.Cache.Count);
    }

    // Whoever looks up a name while others let it give way finds the one dentry that others use.
    [Fact]
    public void LookupChild_WhileOthersTrim_NeverMakesASecondDentry()
    {
        CachedDirectory root = new(64);
        Dentry top = new(null, new FileName("/"), root);
        Dentry[] used = [.. Enumerable.Range(0, 32).Select(i => LookUp(top, $"used{i}"))];
        int different = 0;
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(thread => new Thread(() =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                LookUp(top, $"n{thread}-{i}");
                int at = i % used.Length;
                if (LookUp(top, $"used{at}") != used[at])
                {
                    Interlocked.Increment(ref different);
                }
            }
        }))];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        Assert.Equal(0, different);
    }

    private static void Fill(Dentry directory, int names)
    {
        for (int i = 0; i < names; i++)
        {
            LookUp(directory, $"filler{i}");
        }
    }

    private static Dentry LookUp(Dentry directory, string name)
    {
        Dentry found = PathWalker.LookupChild(null, directory, Encoding.UTF8.GetBytes(name)).Value;
        DentryCache cache = directory.Inode!.Filesystem.Names!;
        if (cache.IsOverfull)
        {
            cache.Trim();
        }

        return found;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference<Dentry> LookUpAndForget(Dentry directory) => new(LookUp(directory, "gone"));
}
