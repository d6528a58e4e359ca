using System.Text;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Kernel.Tests.Vfs;

public sealed class DentryChildrenTests
{
    [Fact]
    public void FindChild_AfterManyChanges_KnowsWhatIsThere()
    {
        Random random = new(7);
        Dentry parent = new(null, new FileName("/"), null);
        Dictionary<string, Dentry> expected = [];
        for (int i = 0; i < 20_000; i++)
        {
            string name = $"n{random.Next(500)}";
            if (expected.Remove(name, out Dentry? known))
            {
                Assert.Same(known, parent.FindChild(Encoding.UTF8.GetBytes(name)));
                parent.RemoveChild(known);
            }
            else
            {
                Assert.Null(parent.FindChild(Encoding.UTF8.GetBytes(name)));
                expected.Add(name, parent.AddChild(new FileName(name), null));
            }
        }

        Assert.All(expected, pair => Assert.Same(pair.Value, parent.FindChild(Encoding.UTF8.GetBytes(pair.Key))));
    }

    [Fact]
    public void AddChild_OfManyMissingNames_ForgetsOldOnes()
    {
        Dentry parent = new(null, new FileName("/"), null);
        for (int i = 0; i < 10_000; i++)
        {
            parent.AddChild(new FileName($"missing{i}"), null);
        }

        Assert.Null(parent.FindChild("missing0"u8));
        Assert.NotNull(parent.FindChild("missing9999"u8));
        int cached = Enumerable.Range(0, 10_000).Count(i => parent.FindChild(Encoding.UTF8.GetBytes($"missing{i}")) is not null);
        Assert.InRange(cached, 1, 4096);
    }

    [Fact]
    public void AddChild_WhereEntriesVanish_ForgetsThem_AndKeepsThoseThatAreThere()
    {
        VanishingDirectory directory = new();
        Dentry parent = new(null, new FileName("/"), directory);
        directory.Present.Add("init");
        Dentry init = parent.AddChild(new FileName("init"), directory);
        Dentry mounted = parent.AddChild(new FileName("mounted"), directory);
        mounted.AddMount();
        for (int i = 0; i < 1000; i++)
        {
            directory.Present.Add($"{i}");
            parent.AddChild(new FileName($"{i}"), directory);
            directory.Present.Remove($"{i - 1}");
        }

        Assert.Same(init, parent.FindChild("init"u8));
        Assert.Same(mounted, parent.FindChild("mounted"u8));
        Assert.NotNull(parent.FindChild("999"u8));
        int cached = Enumerable.Range(0, 1000).Count(i => parent.FindChild(Encoding.UTF8.GetBytes($"{i}")) is not null);
        Assert.InRange(cached, 1, 32);
    }

    [Fact]
    public void Adopt_UnderAnotherNameInAnotherDirectory_MovesTheChild()
    {
        Dentry from = new(null, new FileName("from"), null);
        Dentry to = new(null, new FileName("to"), null);
        Dentry child = from.AddChild(new FileName("a"), null);
        from.RemoveChild(child);
        to.Adopt(child, new FileName("b"));
        Assert.Null(from.FindChild("a"u8));
        Assert.Same(child, to.FindChild("b"u8));
        Assert.Same(to, child.Parent);
    }

    // Without the lock a search may miss, but what it finds is right, and it ends.
    [Fact]
    public void FindChild_WhileOthersChange_FindsOnlyWhatWasAskedFor()
    {
        Dentry first = new(null, new FileName("first"), null);
        Dentry second = new(null, new FileName("second"), null);
        byte[][] names = [.. Enumerable.Range(0, 64).Select(static i => Encoding.UTF8.GetBytes($"name{i}"))];
        Dentry[] children = [.. names.Select(name => first.AddChild(new FileName(name), null))];
        int found = 0;
        bool ends = false;
        Thread reader = new(() =>
        {
            for (int i = 0; !Volatile.Read(ref ends) || i < 1000; i++)
            {
                byte[] name = names[i % names.Length];
                Dentry? child = first.FindChild(name) ?? second.FindChild(name);
                Assert.True(child is null || child == children[i % names.Length]);
                found += child is null ? 0 : 1;
            }
        });
        reader.Start();
        for (int round = 0; round < 500; round++)
        {
            (Dentry from, Dentry to) = round % 2 == 0 ? (first, second) : (second, first);
            foreach (Dentry child in children)
            {
                from.RemoveChild(child);
                to.Adopt(child, child.Name);
            }

            from.AddChild(new FileName($"filler{round}"), null);
        }

        Volatile.Write(ref ends, true);
        reader.Join();
        Assert.All(names, name => Assert.NotNull(first.FindChild(name)));
        Assert.True(found > 0);
    }
}
