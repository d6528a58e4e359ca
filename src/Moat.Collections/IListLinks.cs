namespace Moat.Collections;

/// <summary>Says where items keep their links for one kind of list; an item that is in lists of several kinds has links for each.</summary>
/// <typeparam name="T">The items.</typeparam>
public interface IListLinks<T>
    where T : class
{
    /// <summary>The item's links.</summary>
    static abstract ref ListLinks<T> Of(T item);
}
